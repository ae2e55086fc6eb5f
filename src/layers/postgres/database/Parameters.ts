/**
 * Values for statements. A number alone is sent with a type that depends on its value, which would prepare a statement once for
 * each type, and an array of empty values has no type at all.
 */
import * as PgTypes from "@effect/sql-pg/PgTypes"
import { Result } from "effect"

/** No moment, size or limit is larger, so what is beyond has no bound. */
const largest = 2 ** 62

/** An integer of 64 bits; empty when absent. Beyond what it can hold, it is the largest. */
export const int8 = (value: number | undefined) =>
  PgTypes.int8(value === undefined ? null : BigInt(Math.min(Math.floor(value), largest)))

export const int4 = (value: number | undefined) => PgTypes.int4(value ?? null)

export const float8 = (value: number | undefined) => PgTypes.float8(value ?? null)

/** Postgres cannot hold a zero character in a text. The character that stands for unreadable ones takes its place. */
const storable = (value: string): string => (value.includes("\0") ? value.replaceAll("\0", "\uFFFD") : value)

export const text = (value: string | undefined) => PgTypes.text(value === undefined ? null : storable(value))

export const bool = (value: boolean) => PgTypes.bool(value)

export const bytes = (value: Uint8Array) => PgTypes.bytea(value)

/** The types of the elements are built in, so there is always one for the array. */
const array = (values: ReadonlyArray<unknown>, type: number) => Result.getOrThrow(PgTypes.array(values, type))

export const int4s = (values: ReadonlyArray<number>) => array(values, PgTypes.OID.int4)

export const int8s = (values: ReadonlyArray<number>) => array(values.map(BigInt), PgTypes.OID.int8)

export const float8s = (values: ReadonlyArray<number>) => array(values, PgTypes.OID.float8)

export const byteas = (values: ReadonlyArray<Uint8Array | undefined>) =>
  array(
    values.map((value) => value ?? null),
    PgTypes.OID.bytea
  )

export const texts = (values: ReadonlyArray<string | undefined>) =>
  array(
    values.map((value) => (value === undefined ? null : storable(value))),
    PgTypes.OID.text
  )

import { ByteSize, Config, Duration, Result, Schema } from "effect"

/** Environment variables as people write them. A wrong value is refused with the variable's name and what it expects. */

type Unit = readonly [spellings: RegExp, factor: number]

const durationUnits: ReadonlyArray<Unit> = [
  [/^(ms|milli(second)?s?)$/, 1],
  [/^(s|sec(ond)?s?)$/, 1000],
  [/^(m|min(ute)?s?)$/, 60_000],
  [/^(h|hours?)$/, 3_600_000],
  [/^(d|days?)$/, 86_400_000]
]

// Not `Config.ByteSize`: it refuses `200mb`, `4KB`, plain numbers, and `1.3GiB`, which is no whole number of bytes.
const byteUnits: ReadonlyArray<Unit> = [
  [/^b?$/, 1],
  [/^kb$/, 1e3],
  [/^mb$/, 1e6],
  [/^gb$/, 1e9],
  [/^kib$/, 1024],
  [/^mib$/, 1024 ** 2],
  [/^gib$/, 1024 ** 3]
]

/** The amount in base units, or 0 for a text that is not a positive amount with a known unit. */
const amount = (text: string, units: ReadonlyArray<Unit>): number => {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(text)
  const factor = units.find(([spellings]) => spellings.test((match?.[2] ?? "").toLowerCase()))?.[1]
  return match && factor ? Math.floor(Number(match[1]) * factor) : 0
}

const positiveAmount = (name: string, units: ReadonlyArray<Unit>, expected: string, least = 1) =>
  Config.schema(
    Schema.String.check(Schema.makeFilter((text: string) => amount(text, units) >= least || expected)),
    name
  ).pipe(Config.map((text) => amount(text, units)))

const expectedDuration = "a positive duration such as 30s or 5 minutes"

/** The milliseconds of a positive duration: `30s`, `500 ms`, `5 minutes`. */
export const parseDuration = (text: string): Result.Result<number, string> => {
  const millis = amount(text, durationUnits)
  return millis > 0 ? Result.succeed(millis) : Result.fail(expectedDuration)
}

/** The bytes of a size: `1048576`, `200MB` (decimal), `1 GiB` (binary). */
export const parseByteSize = (text: string): Result.Result<number, string> => {
  const bytes = amount(text, byteUnits)
  return bytes > 0 ? Result.succeed(bytes) : Result.fail("a size such as 200MB or 1GiB")
}

/** A positive duration: `30s`, `500 ms`, `5 minutes`. */
export const duration = (name: string): Config.Config<Duration.Duration> =>
  Config.map(positiveAmount(name, durationUnits, expectedDuration), Duration.millis)

/** A number of bytes, at least `least`: `1048576`, `200MB` (decimal), `1 GiB` (binary). */
export const byteSize = (name: string, least = ByteSize.bytes(1)): Config.Config<ByteSize.ByteSize> => {
  const expected = `a size such as 200MB or 1GiB, and at least ${ByteSize.format(least)}`
  return Config.map(positiveAmount(name, byteUnits, expected, ByteSize.toNumberUnsafe(least)), ByteSize.bytes)
}

/** A whole number from 1 to `maximum`. */
export const count = (name: string, maximum = 1_000_000_000): Config.Config<number> =>
  Config.schema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum })), name)

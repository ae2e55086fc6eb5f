import { Context, Effect, Schema } from "effect"

/** Too little disk space is free to accept more documents. It passes by itself, or after removals. */
export class StorageFull extends Schema.TaggedError<StorageFull>()("StorageFull", {
  freeBytes: Schema.Natural,
  /** Bytes that have to stay free. */
  reserveBytes: Schema.Natural
}) {
  override get message() {
    return `${this.freeBytes} bytes are free where documents are kept, and ${this.reserveBytes} have to stay free`
  }
}

/** Of the system, and of Postgres (`disk_full`). */
const fullCodes: ReadonlySet<unknown> = new Set(["ENOSPC", "EDQUOT", "53100"])
/** `SQLITE_FULL`. */
const fullInSqlite = 13

/**
 * Whether a store failed because its disk is full, as its cause says. A disk can become full between two measurements, or by
 * another program in the middle of a write.
 */
export const failedForSpace = (error: unknown): boolean => {
  for (let [cause, depth] = [error, 0]; typeof cause === "object" && cause !== null && depth < 10; depth++) {
    if ("code" in cause && fullCodes.has(cause.code)) return true
    if ("errcode" in cause && cause.errcode === fullInSqlite) return true
    cause = "reason" in cause && typeof cause.reason === "object" ? cause.reason : "cause" in cause && cause.cause
  }
  return false
}

/** Whether accepted documents can be stored. */
export interface StorageHealthShape {
  /** Why nothing can be stored now, found by a real write; empty if storing works. Frequent calls share one write. */
  readonly obstacles: Effect.Effect<ReadonlyArray<string>>
  /** Whether there is room for so many bytes more. Frequent calls share one measurement of the disk. */
  readonly checkRoom: (bytes: number) => Effect.Effect<void, StorageFull>
}

/** In memory there is nothing to check. */
export const StorageHealth = Context.Reference<StorageHealthShape>("sluice/services/StorageHealth", {
  defaultValue: () => ({ obstacles: Effect.succeed([]), checkRoom: () => Effect.void })
})

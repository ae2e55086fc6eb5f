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

import { Context, Effect, Schema } from "effect"

/** So little is free where originals and results are kept that no more are taken. It gets better by itself, or by removals. */
export class StorageFull extends Schema.TaggedError<StorageFull>()("StorageFull", {
  freeBytes: Schema.Natural,
  /** That much has to stay free. */
  reserveBytes: Schema.Natural
}) {
  override get message() {
    return `${this.freeBytes} bytes are free where documents are kept, and ${this.reserveBytes} have to stay free`
  }
}

/** Whether what is accepted can be stored. */
export interface StorageHealthShape {
  /** Why nothing can be stored just now, found by really writing; empty when it can. Asked often, it does not write each time. */
  readonly obstacles: Effect.Effect<ReadonlyArray<string>>
  /** Whether there is room for so many bytes more. Costs no look at the disk each time. */
  readonly checkRoom: (bytes: number) => Effect.Effect<void, StorageFull>
}

/** Where everything is in memory there is nothing to look at. */
export const StorageHealth = Context.Reference<StorageHealthShape>("sluice/services/StorageHealth", {
  defaultValue: () => ({ obstacles: Effect.succeed([]), checkRoom: () => Effect.void })
})

import { Context, Effect, Stream } from "effect"
import { type BlobLocation, BlobStoreUnavailable, type BlobLost } from "./BlobStore.ts"

const noFiles = new BlobStoreUnavailable({
  operation: "read a file",
  cause: new Error("this engine was given no reader of files")
})

/**
 * Reads bytes from where a blob lies, for those that need them in this process. Without a layer it reads only what is in
 * memory, as all blobs of a store in memory are.
 */
export const BlobBytes = Context.Reference<{
  /** The bytes in order, in portions. To be read while the location holds. */
  readonly read: (location: BlobLocation) => Stream.Stream<Uint8Array, BlobLost | BlobStoreUnavailable>
}>("sluice/services/BlobBytes", {
  defaultValue: () => ({
    read: (location) => (location._tag === "Bytes" ? Stream.make(location.bytes) : Stream.fail(noFiles))
  })
})

/** All bytes at once, which have to fit into memory. */
export const allBytes = (location: BlobLocation): Effect.Effect<Uint8Array, BlobLost | BlobStoreUnavailable> =>
  location._tag === "Bytes"
    ? Effect.succeed(location.bytes)
    : Effect.flatMap(BlobBytes, ({ read }) =>
        Effect.map(Stream.runCollect(read(location)), (portions) => new Uint8Array(Buffer.concat(portions)))
      )

import { Effect, Layer, Stream } from "effect"
import { BlobBytes } from "../../services/BlobBytes.ts"
import { type BlobLocation, BlobLost, BlobStoreUnavailable } from "../../services/BlobStore.ts"
import { openBlob, unreadableBlob } from "../pdf/pool/BlobBytes.ts"

const failed = (location: BlobLocation) => (cause: unknown) => {
  const { code, message } = unreadableBlob(cause)
  return code === "BLOB_LOST" && location.hash !== undefined
    ? new BlobLost({ hash: location.hash, detail: message })
    : new BlobStoreUnavailable({ operation: "read a blob", cause })
}

/** Reads blobs that are files, too. */
export const layer = Layer.succeed(BlobBytes, {
  read: (location) =>
    Stream.unwrap(
      Effect.map(
        Effect.acquireRelease(Effect.tryPromise({ try: () => openBlob(location), catch: failed(location) }), (blob) =>
          Effect.promise(() => blob.close())
        ),
        // Each portion may be used only until the next is asked for, so it is copied.
        ({ portions }) =>
          Stream.fromAsyncIterable(portions, failed(location)).pipe(Stream.map((bytes) => bytes.slice()))
      )
    )
})

import { Effect, Stream } from "effect"
import { BlobStore } from "../../../services/BlobStore.ts"
import { PdfEngine, PdfEngineError, type PdfRef, PoolLost } from "../../../services/PdfEngine.ts"
import type { PoolName, RemotePdf } from "../../../services/pools/Pools.ts"
import { OwnPool } from "./OwnPool.ts"
import { PoolRpcs } from "./PoolRpcs.ts"

/** Reads for other runners, with the workers of this process and the bytes of the store that all share. */
export const layer = PoolRpcs.toLayer(
  Effect.gen(function* () {
    const engine = yield* PdfEngine
    const blobs = yield* BlobStore
    const own = yield* OwnPool

    const lost = (detail: string) => new PdfEngineError({ reason: new PoolLost({ pool: own, detail }) })

    const checked = (pool: PoolName) =>
      pool === own ? Effect.void : Effect.fail(lost("another process has its place by now"))

    /** The runner that asks has located the same bytes: if they are not to be had here, something is wrong with this one. */
    const located = ({ hash, key, password, pool }: RemotePdf & { readonly pool: PoolName }) =>
      Effect.andThen(checked(pool), blobs.locate(hash)).pipe(
        Effect.map((location): PdfRef => ({ key, location, password })),
        Effect.catchTag(["BlobLost", "BlobStoreUnavailable"], (error) =>
          Effect.andThen(
            Effect.logWarning("a file that another runner reads cannot be had here", error.message),
            Effect.fail(lost(error.message))
          )
        )
      )

    return PoolRpcs.of({
      OpenPdf: ({ head, ...file }) => Effect.scoped(Effect.flatMap(located(file), (pdf) => engine.open(pdf, head))),
      ReadPages: ({ concurrency, pages, ...file }) =>
        Stream.unwrap(Effect.map(located(file), (pdf) => engine.read(pdf, pages, concurrency))),
      ClosePdf: ({ key, pool }) => (pool === own ? engine.close(key) : Effect.void)
    })
  })
)

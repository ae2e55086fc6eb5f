import { Context, type Deferred, type Effect, type Redacted, Schema, type Stream } from "effect"
import type { BlobHash } from "../../domain/Ids.ts"
import type { PageResult } from "../../domain/document/Page.ts"
import type { HeadRequest, OpenedWithHead, PdfEngineError } from "../PdfEngine.ts"

/** The page workers of one runner. The name tells a runner from one that was started again at the same address. */
export const PoolName = Schema.String.pipe(Schema.brand("PoolName"))
export type PoolName = typeof PoolName.Type

/** The pool of another runner, in which a turn was given. */
export interface Pool {
  readonly name: PoolName
  /** Fails when the runner is known to be gone. */
  readonly lost: Deferred.Deferred<never, PdfEngineError>
}

/** Where the present turn was given: in a pool of another runner; in this process when `undefined`. */
export const CurrentPool = Context.Reference<Pool | undefined>("sluice/services/pools/Pools/CurrentPool", {
  defaultValue: () => undefined
})

/** A PDF to be read by another runner, which takes the bytes from the blob store. */
export interface RemotePdf {
  readonly key: string
  readonly hash: BlobHash
  readonly password: Redacted.Redacted | undefined
}

/**
 * The workers of other runners. A call that a runner does not answer to its end, for whatever reason but the file, fails with
 * `PoolLost`. Interrupting a call stops its work.
 */
export class Pools extends Context.Service<
  Pools,
  {
    readonly open: (pool: PoolName, pdf: RemotePdf, head?: HeadRequest) => Effect.Effect<OpenedWithHead, PdfEngineError>
    readonly read: (
      pool: PoolName,
      pdf: RemotePdf,
      pages: ReadonlyArray<number>,
      concurrency: number
    ) => Stream.Stream<PageResult, PdfEngineError>
    /** Lets the runner's workers forget the document. It may not hear of it. */
    readonly close: (pool: PoolName, key: string) => Effect.Effect<void>
  }
>()("sluice/services/pools/Pools") {}

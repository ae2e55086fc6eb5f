import { createHash, randomBytes } from "node:crypto"
import { Clock, Context, DateTime, Duration, Effect, Layer } from "effect"
import type { TenantId } from "../../domain/Ids.ts"
import { EngineConfig } from "../../services/config/EngineConfig.ts"
import { type TraceRecord, traceFormat } from "./TraceRecord.ts"
import { makeTraceWriter, type TraceWriterOptions } from "./TraceWriter.ts"

/** The most tenants that are remembered. Further ones may be described again, which is harmless to readers. */
const mostTenants = 10_000

/** The recording that the decorators write to, from the start of the service to its end. */
export class Recorder extends Context.Service<
  Recorder,
  {
    readonly write: (record: TraceRecord) => void
    /** Milliseconds since the recording began. */
    readonly at: () => number
    /** A moment on the clock of the recording; negative if it was before. */
    readonly since: (moment: number) => number
    /** Monotonic, to measure what a call takes. */
    readonly nanos: () => bigint
    /** The document's name in the trace: a salted hash, so nothing has to be remembered for it. */
    readonly alias: (document: string) => string
    /** Whether the recording has not seen the tenant before. */
    readonly isNew: (tenant: TenantId) => boolean
  }
>()("sluice/layers/recorder/Recorder") {
  static readonly layer = (options: TraceWriterOptions, workers: number) =>
    Layer.effect(
      Recorder,
      Effect.gen(function* () {
        const config = yield* EngineConfig
        const clock = yield* Clock.Clock
        const { write } = yield* makeTraceWriter(options)
        const startedAt = yield* DateTime.now
        const start = clock.currentTimeMillisUnsafe()
        const salt = randomBytes(16)
        const tenants = new Set<TenantId>()
        const since = (moment: number) => moment - start
        write({
          _tag: "Trace",
          format: traceFormat,
          startedAt,
          workers,
          limits: {
            documents: config.globalDocuments,
            backlog: config.queueSize,
            pages: config.pages,
            pageTimeoutMillis: Duration.toMillis(config.pageTimeout),
            documentTimeoutMillis: Duration.toMillis(config.documentTimeout),
            ...(config.queueTtl !== undefined && { queueTtlMillis: Duration.toMillis(config.queueTtl) })
          }
        })
        return Recorder.of({
          write,
          since,
          at: () => Math.max(0, since(clock.currentTimeMillisUnsafe())),
          nanos: () => clock.monotonicTimeNanosUnsafe(),
          alias: (document) => createHash("sha256").update(salt).update(document).digest("hex").slice(0, 12),
          isNew: (tenant) => {
            if (tenants.has(tenant)) return false
            if (tenants.size >= mostTenants) tenants.clear()
            tenants.add(tenant)
            return true
          }
        })
      })
    )
}

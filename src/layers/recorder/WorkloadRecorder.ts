/**
 * Records submissions and what they cost, for `bench/whatif` to replay under other settings. It decorates the services, so no
 * actor knows of it; without `TRACE_FILE` nothing of it is built.
 */
import { ByteSize, Config, Context, Effect, Layer } from "effect"
import { byteSize } from "../../services/config/ConfigValues.ts"
import { DocumentQueue } from "../../services/store/DocumentQueue.ts"
import { Documents } from "../../services/store/Documents.ts"
import { PdfEngine } from "../../services/PdfEngine.ts"
import { TenantRegistry } from "../../services/TenantRegistry.ts"
import { Recorder } from "./Recorder.ts"
import { tracedDocuments, tracedQueue } from "./TracedStore.ts"
import { tracedPdfEngine } from "./TracedPdfEngine.ts"
import { tracedTenants } from "./TracedTenants.ts"
import type { TraceWriterOptions } from "./TraceWriter.ts"

export const TraceConfig = Config.all({
  file: Config.NonEmptyString("TRACE_FILE").pipe(Config.withDefault(undefined)),
  limit: byteSize("TRACE_LIMIT").pipe(Config.withDefault(ByteSize.gibibytes(1)))
})

type Traced = PdfEngine | DocumentQueue | Documents | TenantRegistry
const services = Effect.context<Traced>()

/** The same services, recorded to the file. */
export const layerTo = (options: TraceWriterOptions) =>
  Layer.effectContext(
    Effect.gen(function* () {
      const engine = yield* PdfEngine
      const queue = yield* DocumentQueue
      const recorder = yield* Recorder
      const tenants = tracedTenants(queue, yield* TenantRegistry, recorder)
      return Context.make(PdfEngine, tracedPdfEngine(engine, recorder)).pipe(
        Context.add(DocumentQueue, tracedQueue(queue, recorder, tenants)),
        Context.add(Documents, tracedDocuments(yield* Documents, recorder)),
        Context.add(TenantRegistry, tenants.registry)
      )
    })
  ).pipe(Layer.provide(Layer.unwrap(Effect.map(PdfEngine, ({ capacity }) => Recorder.layer(options, capacity)))))

/** The same services, recorded if the environment says so. */
export const layer = Layer.unwrap(
  Effect.map(TraceConfig, ({ file, limit }) =>
    file === undefined ? Layer.effectContext(services) : layerTo({ file, limit })
  )
)

// The whole engine over fakes: production actors, stores in memory, and a reader that follows a script. Time is the test's.
import { Context, type Duration, Effect, Exit, Fiber, Layer, Metric, Scope, Stream } from "effect"
import { SecureRandom } from "effect/crypto"
import { TestClock } from "effect/testing"
import * as Engine from "../../src/actors/Engine.ts"
import { Ingestion, type SubmitOptions } from "../../src/actors/Ingestion.ts"
import { InFlightSubmissions } from "../../src/actors/admission/InFlightSubmissions.ts"
import { TenantDirectory } from "../../src/actors/tenant/TenantDirectory.ts"
import type { IngestEvent } from "../../src/domain/Event.ts"
import { failure } from "../../src/domain/Failure.ts"
import { type DocumentId, TenantId } from "../../src/domain/Ids.ts"
import { BlobStore } from "../../src/services/BlobStore.ts"
import * as BlobStoreMemory from "../../src/services/BlobStoreMemory.ts"
import * as StoreMemory from "../../src/services/store/memory/StoreMemory.ts"
import type { PipelineName } from "../../src/domain/pipeline/Pipeline.ts"
import { DownstreamsConfig } from "../../src/services/downstreams/DownstreamsConfig.ts"
import { decodeDownstreams, type DownstreamsWritten } from "../../src/services/downstreams/DownstreamSettings.ts"
import * as PipelineDeclarations from "../../src/services/pipelines/PipelineDeclarations.ts"
import type { PipelineDeclaration } from "../../src/services/pipelines/PipelineDeclarations.ts"
import type { Stage } from "../../src/services/pipelines/Stage.ts"
import { Artifacts } from "../../src/services/store/Artifacts.ts"
import { BlobReferences } from "../../src/services/store/BlobReferences.ts"
import { EngineConfig, type EngineLimits } from "../../src/services/config/EngineConfig.ts"
import { Events } from "../../src/services/Events.ts"
import { PdfEngine, type PdfRef } from "../../src/services/PdfEngine.ts"
import { makeScriptedEngine, type ScriptedDocument, soundDocument } from "../../src/services/PdfEngineScripted.ts"
import * as SecretsMemory from "../../src/services/secrets/SecretsMemory.ts"
import { SourceRefused, Sources } from "../../src/services/Sources.ts"
import * as Telemetry from "../../src/observability/Telemetry.ts"
import { makeLimitRows, type TenantOverrides, TenantRegistry } from "../../src/services/TenantRegistry.ts"
import { type Store, storeContext, storeOf, wholeStore } from "./store.ts"

type Reader = Context.Service.Shape<typeof PdfEngine>

export interface WorldOptions {
  /** By the word that follows the header of the uploaded bytes. */
  readonly scripts?: Readonly<Record<string, ScriptedDocument>>
  /** Workers of the scripted engine. */
  readonly capacity?: number
  /** Pages that are read within this time of each other come together. */
  readonly gathering?: Duration.Input
  readonly limits?: Partial<EngineLimits>
  readonly tenants?: TenantOverrides
  readonly sources?: Partial<Context.Service.Shape<typeof Sources>>
  /** What of the store behaves differently, over the store that works. */
  readonly store?: (store: Store) => Partial<Store>
  /** What of the references to blobs behaves differently. */
  readonly references?: (references: BlobReferences["Service"]) => Partial<BlobReferences["Service"]>
  /** Each engine has limits of its own in memory, as processes have, over the same rows. */
  readonly separateRegistries?: boolean
  /** Is waited for whenever the limits of a tenant are asked for. */
  readonly slowRegistry?: Effect.Effect<void>
  /** Events reach nobody. */
  readonly deaf?: boolean
  readonly reader?: (reader: Reader) => Partial<Reader>
  /** Stages and the pipelines made of them; the engine has only `text` when absent. */
  readonly stages?: ReadonlyArray<Stage>
  readonly pipelines?: ReadonlyArray<PipelineDeclaration>
  readonly pipeline?: PipelineName
  readonly downstreams?: DownstreamsWritten
  /** What is started; the engine with its actors in this process when absent. */
  readonly engine?: typeof Engine.layer
}

export const tenant = (name: string) => TenantId.make(name)
export const acme = tenant("acme")

export const bytesOf = (script: string): Uint8Array => new TextEncoder().encode(`%PDF-1.7 ${script} `)

const scriptName = ({ location }: PdfRef): string =>
  location._tag === "Bytes" ? (new TextDecoder().decode(location.bytes).split(" ")[1] ?? "") : location.path

const noSources = (text: string) =>
  Effect.fail(new SourceRefused({ failure: failure("SOURCE_REFUSED", `${text} is not allowed`) }))

const deafEvents = Layer.succeed(Events, {
  publish: () => Effect.void,
  subscribe: Effect.succeed(Stream.never),
  listen: () => Effect.void
})

/** What outlives an engine: the stores, the events and the scripted workers. Engines are started over it, one or several. */
export const makeWorld = Effect.fnUntraced(function* (options: WorldOptions = {}) {
  const scripts = new Map(Object.entries(options.scripts ?? {}))
  const scripted = makeScriptedEngine((pdf) => scripts.get(scriptName(pdf)) ?? soundDocument(3, "10 millis"), {
    capacity: options.capacity ?? 2,
    gathering: () => options.gathering ?? 0
  })
  const referencesLayer = Layer.effect(
    BlobReferences,
    Effect.map(BlobReferences, (references) =>
      BlobReferences.of({ ...references, ...options.references?.(references) })
    )
  )
  const storeLayer = Layer.effectContext(
    Effect.map(wholeStore, (store) => storeContext({ ...store, ...options.store?.(store) }))
  ).pipe(Layer.provideMerge(referencesLayer), Layer.provideMerge(StoreMemory.layerMemory))
  const readerLayer = Layer.effect(
    PdfEngine,
    Effect.map(PdfEngine, (reader) => PdfEngine.of({ ...reader, ...options.reader?.(reader) }))
  ).pipe(Layer.provide(scripted.layer))
  const sourcesLayer = Layer.succeed(Sources, {
    resolve: noSources,
    readFile: () => Stream.empty,
    fetch: () => Stream.empty,
    ...options.sources
  })
  const limitRows = makeLimitRows()
  const registryLayer = Layer.effect(
    TenantRegistry,
    Effect.map(TenantRegistry, ({ limits, ...registry }) => ({
      ...registry,
      limits: (owner) => Effect.andThen(options.slowRegistry ?? Effect.void, limits(owner))
    }))
  ).pipe(Layer.provide(TenantRegistry.layer(options.tenants, limitRows)))
  const services = yield* Layer.build(
    registryLayer.pipe(
      Layer.provideMerge(EngineConfig.layer(options.limits)),
      Layer.merge(
        Layer.mergeAll(
          storeLayer,
          readerLayer,
          sourcesLayer,
          BlobStoreMemory.layerMemory,
          SecretsMemory.layerMemory,
          SecureRandom.layerWebCrypto,
          options.deaf ? deafEvents : Events.layer(),
          Layer.succeed(Metric.MetricRegistry, new Map()),
          Layer.orDie(PipelineDeclarations.layer(options.stages ?? [], options.pipelines ?? [], options.pipeline)),
          Layer.effect(DownstreamsConfig, Effect.orDie(decodeDownstreams(options.downstreams ?? {})))
        )
      )
    )
  )

  /** Starts an engine; `stop` releases it as the end of the process would. The end of the test stops it at the latest. */
  const start = Effect.gen(function* () {
    const scope = yield* Scope.make()
    const stop = Scope.close(scope, Exit.void)
    yield* Effect.addFinalizer(() =>
      Effect.flatMap(Effect.forkChild(stop), (stopping) => letPass(stopping, "1 second"))
    )
    const own = options.separateRegistries
      ? yield* Layer.buildWithScope(Layer.fresh(registryLayer), scope).pipe(Effect.provideContext(services))
      : services
    const engine = yield* Layer.buildWithScope(Layer.fresh(options.engine ?? Engine.layer), scope).pipe(
      Effect.provideContext(Context.merge(services, own))
    )
    return {
      ingestion: Context.get(engine, Ingestion),
      directory: Context.get(engine, TenantDirectory),
      submissions: Context.get(engine, InFlightSubmissions),
      stop
    }
  })

  const gateInUse = (gate: Telemetry.Gate) =>
    Effect.map(Effect.provideContext(Metric.value(Telemetry.gateInUse.of(gate)), services), ({ value }) => value)

  const workAhead = Effect.map(
    Effect.provideContext(Metric.value(Telemetry.workAhead.of("pages")), services),
    ({ value }) => value
  )

  /** Ends of documents that were counted, by their status. */
  const endsCounted = Effect.fnUntraced(function* () {
    const ends: Record<string, number> = {}
    for (const status of Telemetry.documentsEnded.values) {
      const { count } = yield* Metric.value(Telemetry.documentsEnded.of(status))
      if (count > 0) ends[status] = Number(count)
    }
    return ends
  }, Effect.provideContext(services))

  return {
    start,
    scripted,
    store: storeOf(services),
    artifacts: Context.get(services, Artifacts),
    references: Context.get(services, BlobReferences),
    blobs: Context.get(services, BlobStore),
    events: Context.get(services, Events),
    gateInUse,
    workAhead,
    endsCounted
  }
})

/** A world with one engine, and the short words for what tests do with it. */
export const startEngine = Effect.fnUntraced(function* (options: WorldOptions = {}) {
  const world = yield* makeWorld(options)
  const engine = yield* world.start
  return { ...world, ...engine, ...words(engine.ingestion) }
})

export const words = (ingestion: Context.Service.Shape<typeof Ingestion>) => {
  const submit = (script: string, owner: TenantId = acme, options: Partial<SubmitOptions> = {}) =>
    ingestion.submit(owner, Stream.make(bytesOf(script)), { name: `${script}.pdf`, force: true, ...options })

  /** Everything `follow` tells of a document, from now on in the background. */
  const followed = (id: DocumentId, owner: TenantId = acme) =>
    Effect.forkChild(Stream.runCollect(ingestion.follow(owner, id)), { startImmediately: true })

  /** Lets time pass until the document has ended. */
  const awaitEnd = Effect.fnUntraced(function* (id: DocumentId, owner: TenantId = acme, step?: Duration.Input) {
    yield* letPass(yield* followed(id, owner), step)
    return yield* ingestion.status(owner, id)
  })

  const pagesOf = (id: DocumentId, owner: TenantId = acme) =>
    ingestion.pages(owner, id, { from: 1, limit: 100_000, detail: true })

  return { submit, followed, awaitEnd, pagesOf }
}

const patience = 20_000

/** Lets time pass, step by step, until the fiber has ended. */
export const letPass = Effect.fnUntraced(function* <A, E>(
  fiber: Fiber.Fiber<A, E>,
  step: Duration.Input = "50 millis"
) {
  for (let steps = 0; fiber.pollUnsafe() === undefined; steps++) {
    if (steps === patience) return yield* Effect.die("nothing more seems to happen")
    yield* TestClock.adjust(step)
  }
  return yield* Fiber.join(fiber)
})

/** Lets time pass, step by step, until the condition holds. */
export const until = Effect.fnUntraced(function* <E, R>(
  condition: Effect.Effect<boolean, E, R>,
  step: Duration.Input = "10 millis"
) {
  for (let steps = 0; !(yield* condition); steps++) {
    if (steps === patience) return yield* Effect.die("what was waited for does not happen")
    yield* TestClock.adjust(step)
  }
})

/** Events by their names alone, with what a test asks about. */
export const brief = (events: ReadonlyArray<IngestEvent>): ReadonlyArray<string> =>
  events.map((event) =>
    event._tag === "PageDone"
      ? `PageDone ${event.page} ${event.status}`
      : event._tag === "DocumentEnded"
        ? `DocumentEnded ${event.status}`
        : event._tag
  )

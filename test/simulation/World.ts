import { createHash } from "node:crypto"
import { Clock, Context, Duration, Effect, Exit, Layer, Metric, Redacted, Schedule, Scope } from "effect"
import { TestClock } from "effect/testing"
import * as Engine from "../../src/actors/Engine.ts"
import { Ingestion } from "../../src/actors/Ingestion.ts"
import { TenantDirectory } from "../../src/actors/tenant/TenantDirectory.ts"
import type { TenantId } from "../../src/domain/Ids.ts"
import { DownstreamsConfig } from "../../src/services/downstreams/DownstreamsConfig.ts"
import { Pipelines } from "../../src/services/pipelines/Pipelines.ts"
import { Artifacts } from "../../src/services/store/Artifacts.ts"
import { BlobReferences } from "../../src/services/store/BlobReferences.ts"
import { BlobStore } from "../../src/services/BlobStore.ts"
import * as BlobStoreMemory from "../../src/services/BlobStoreMemory.ts"
import * as StoreMemory from "../../src/services/store/memory/StoreMemory.ts"
import { defaultLimits, EngineConfig, type EngineLimits } from "../../src/services/config/EngineConfig.ts"
import { StoreUnavailable } from "../../src/services/store/StoreErrors.ts"
import { Events } from "../../src/services/Events.ts"
import { PdfEngine, type PdfRef } from "../../src/services/PdfEngine.ts"
import { makeScriptedEngine } from "../../src/services/PdfEngineScripted.ts"
import { Secrets } from "../../src/services/secrets/Secrets.ts"
import { Sources } from "../../src/services/Sources.ts"
import * as Telemetry from "../../src/observability/Telemetry.ts"
import { limitsOver, makeLimitRows, TenantRegistry } from "../../src/services/TenantRegistry.ts"
import { Admissions } from "./Admissions.ts"
import { SimulatedFarSide, stagesOf } from "./SimulatedStages.ts"
import { layerSecureRandom } from "./Dice.ts"
import { watched } from "./GateWatch.ts"
import { History } from "./History.ts"
import { Ledger } from "./Ledger.ts"
import { LimitsLog } from "./LimitsLog.ts"
import type { Plant } from "./Plants.ts"
import type { DocumentPlan, Scenario } from "./Scenario.ts"
import { gatheringOf, Readings, scriptOf, simulatedReader } from "./SimulatedEngine.ts"
import { SimulatedSources } from "./SimulatedSources.ts"
import { type Process, simulatedBlobs, simulatedReferences, simulatedStore } from "./SimulatedStore.ts"
import { makeSimulatedTurns } from "./SimulatedTurns.ts"
import { Trouble } from "./Trouble.ts"
import { storeContext, storeOf } from "../support/store.ts"

export const bytesOf = (content: number): Uint8Array => new TextEncoder().encode(`%PDF-1.7 ${content} `)

const contentOf = ({ location }: PdfRef): number =>
  location._tag === "Bytes" ? Number(new TextDecoder().decode(location.bytes).split(" ")[1]) : -1

const plainSecrets = Layer.succeed(Secrets, {
  seal: (secret) => Effect.succeed(Redacted.value(secret)),
  fingerprint: (secret, context) => Effect.succeed(`${context} ${Redacted.value(secret)}`),
  open: (sealed) => Effect.succeed(Redacted.make(sealed))
})

/** A change of limits is read at the next refresh, and takes effect in the turn of the tenant's actor. */
const refreshedWithin = ({ limitsRefresh }: EngineLimits) => Duration.toMillis(limitsRefresh) + 1_000

/** What outlives every process: store, blobs, rows of limits, events, and the knowledge of what should be in them. */
export const makeWorld = Effect.fnUntraced(function* (
  scenario: Scenario,
  plant: Plant | undefined,
  verbose: ((line: string) => void) | undefined
) {
  const clock = yield* TestClock.testClockWith(Effect.succeed)
  const history = new History(() => clock.currentTimeMillisUnsafe(), verbose)
  const trouble = new Trouble(scenario.seed)
  const limits = { ...defaultLimits, ...scenario.limits }
  const overrides = Object.fromEntries(
    scenario.tenants.map(({ backlog, documents, id, weight }) => [id, { backlog, documents, weight }])
  )
  const { limitsOf } = yield* Effect.provide(
    Effect.map(limitsOver(overrides), (limitsOf) => ({ limitsOf })),
    EngineConfig.layer(scenario.limits)
  )
  const log = new LimitsLog((tenant) => limitsOf(tenant, undefined))
  const ledger = new Ledger(history, { log, globalDocuments: limits.globalDocuments })
  const sources = new SimulatedSources(ledger, scenario.documents, bytesOf)
  const admissions = new Admissions()
  const readings = new Readings(history, ledger, trouble)
  const contents = new Map<number, DocumentPlan>()
  const contentByHash = new Map<string, DocumentPlan>()
  const addContent = (plan: DocumentPlan) => {
    contents.set(plan.content, plan)
    contentByHash.set(createHash("sha256").update(bytesOf(plan.content)).digest("hex"), plan)
  }
  for (const plan of scenario.documents) addContent(plan)

  const shared = yield* Layer.build(
    Layer.mergeAll(
      StoreMemory.layerMemory,
      BlobStoreMemory.layerMemory,
      layerSecureRandom(scenario.seed),
      plainSecrets,
      EngineConfig.layer(scenario.limits)
    )
  )
  const store = storeOf(shared)
  const innerReferences = Context.get(shared, BlobReferences)
  const references = plant?.references?.(innerReferences) ?? innerReferences
  const innerBlobs = Context.get(shared, BlobStore)
  const blobs = plant?.blobs?.(innerBlobs) ?? innerBlobs
  const limitRows = makeLimitRows()
  /** Tenants whose next defect, if any, was caused on purpose. */
  const crashed = new Map<TenantId, number>()
  let crashedAt = 0
  const worldScope = yield* Effect.scope
  const turns = yield* makeSimulatedTurns({ seed: scenario.seed, history, ledger: plant?.ledger })
  const processes: Array<Process> = []
  const far = new SimulatedFarSide(scenario.seed, history, ledger, trouble)

  /** The limits as one process knows them, over the rows that all share. */
  const registryOf = (inner: TenantRegistry["Service"], process: Process) => {
    const known = plant?.registry?.(inner) ?? inner
    return TenantRegistry.of({
      refresh: known.refresh,
      limits: (tenant) =>
        Effect.suspend(() => {
          if (trouble.tenantCrashes.delete(tenant)) {
            crashed.set(tenant, (crashed.get(tenant) ?? 0) + 1)
            crashedAt = clock.currentTimeMillisUnsafe()
            ledger.crashes(tenant)
            history.note(`${tenant} meets a defect`)
            return Effect.die("simulated defect")
          }
          return known.limits(tenant)
        }),
      update: (tenant, patch, pausing) =>
        Effect.suspend(() =>
          process.alive
            ? inner.update(tenant, patch, pausing)
            : Effect.fail(new StoreUnavailable({ operation: "change limits", cause: "simulated" }))
        ).pipe(
          Effect.tap((changed) =>
            Effect.sync(() => {
              log.changed(tenant, changed, clock.currentTimeMillisUnsafe())
              history.note(`${tenant} may have ${JSON.stringify(changed)}`)
            })
          )
        )
    })
  }

  const planOfDocument = (id: string) => {
    const index = /^#(\d+) document-(\d+)/.exec(ledger.entry(id)?.label ?? "")?.[2]
    return index === undefined ? undefined : scenario.documents[Number(index)]
  }

  /** Starts a process over the world. One that finds no store ends, and is started again. */
  const start = Effect.gen(function* () {
    const process: Process = {
      name: `process ${processes.length + 1}`,
      alive: true,
      stopping: false,
      runner: undefined
    }
    processes.push(process)
    history.note(`${process.name} starts`)
    const scope = yield* Scope.fork(worldScope)
    const unknown = { opening: "opens", openMillis: 1, pages: 1, pageMillis: () => 1, trouble: new Map() } as const
    const scripted = makeScriptedEngine(
      (pdf) => scriptOf(contents.get(contentOf(pdf)) ?? unknown, pdf.key, readings, process),
      {
        capacity: scenario.capacity,
        gathering: ({ key }) => gatheringOf(key)
      }
    )
    if (processes.filter(({ alive }) => alive).length > 1) log.lagMillis = refreshedWithin(limits)
    const own = Layer.provide(TenantRegistry.layer(overrides, limitRows), EngineConfig.layer(scenario.limits))
    const stages = scenario.staged === true ? stagesOf(far, process, planOfDocument) : Layer.empty
    const inner = yield* Layer.buildWithScope(
      Layer.mergeAll(scripted.layer, Events.layer(), Layer.fresh(own), Layer.fresh(stages)),
      scope
    )
    const registry = Layer.succeed(TenantRegistry, registryOf(Context.get(inner, TenantRegistry), process))
    const events = Context.get(inner, Events)
    const watch = { limits: log, history, ledger, readings, trouble, mayExceed: turns.areUnsettled }
    const simulated = simulatedReader(Context.get(inner, PdfEngine), process, watch)
    const reader = plant?.reader?.(simulated.reader) ?? simulated.reader
    const scheduling =
      plant?.scheduling ?? (scenario.clustered === true ? turns.join(process, reader) : Engine.layerFair)
    const services = shared.pipe(
      Context.merge(storeContext(simulatedStore(plant?.store?.(store) ?? store, process, trouble, ledger))),
      Context.add(Pipelines, Context.get(inner, Pipelines)),
      Context.add(DownstreamsConfig, Context.get(inner, DownstreamsConfig)),
      Context.add(BlobReferences, simulatedReferences(references, process, trouble)),
      Context.add(BlobStore, simulatedBlobs(blobs, process, trouble)),
      Context.add(PdfEngine, reader),
      Context.add(Sources, sources.for(process)),
      Context.add(Metric.MetricRegistry, new Map()),
      Context.add(
        Events,
        Events.of({
          ...events,
          publish: (event) =>
            Effect.suspend(() => {
              if (!process.alive) return Effect.void
              if (event._tag === "DocumentEnded") ledger.announced(event.documentId, event.status)
              return events.publish(event)
            })
        })
      )
    )
    const engine = yield* Layer.buildWithScope(
      Layer.fresh(Engine.layerNoScheduling.pipe(Layer.provide(watched(scheduling, history)))).pipe(
        Layer.provide(registry)
      ),
      scope
    ).pipe(
      Effect.provideContext(services),
      Effect.onError(() =>
        Effect.suspend(() => {
          process.alive = false
          return Scope.close(scope, Exit.void)
        })
      )
    )
    const gauge = (gate: Telemetry.Gate) =>
      Effect.map(Effect.provideContext(Metric.value(Telemetry.gateInUse.of(gate)), services), ({ value }) => value)
    return {
      process,
      ingestion: Context.get(engine, Ingestion),
      directory: Context.get(engine, TenantDirectory),
      reader: simulated,
      gauge,
      /** The orderly end of the process. */
      stop: Effect.andThen(
        Effect.suspend(() => {
          process.stopping = true
          return Scope.close(scope, Exit.void)
        }),
        Effect.sync(() => {
          process.alive = false
          history.note(`${process.name} has stopped`)
        })
      ),
      /** The end of a process that has no time for anything: its fibers go, and what they try on their way fails. */
      kill: Effect.suspend(() => {
        process.alive = false
        history.note(`${process.name} is killed`)
        return Scope.close(scope, Exit.void)
      })
    }
  }).pipe(Effect.retry(Schedule.spaced("1 second")))

  const now = Clock.currentTimeMillis
  const killAll = () => {
    for (const process of processes) process.alive = false
  }
  return {
    history,
    trouble,
    ledger,
    planOfDocument,
    artifacts: Context.get(shared, Artifacts),
    log,
    admissions,
    readings,
    limits,
    contentByHash,
    planOfUrl: (url: string) => sources.planOf(url),
    addContent,
    store,
    references: innerReferences,
    blobs: innerBlobs,
    crashed,
    crashedAt: () => crashedAt,
    start,
    turns,
    now,
    killAll
  }
})
export type World = Effect.Success<ReturnType<typeof makeWorld>>
export type Running = Effect.Success<World["start"]>

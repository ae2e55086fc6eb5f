/** Plays a workload through the engine in virtual time, under the settings given, and tells what each tenant got. */
import { Clock, Context, DateTime, Effect, Layer, Schema, Stream } from "effect"
import { Ingestion } from "../../src/actors/Ingestion.ts"
import type { IngestEvent } from "../../src/domain/Event.ts"
import type { DocumentId, TenantId } from "../../src/domain/Ids.ts"
import type { TenantOverrides } from "../../src/services/TenantRegistry.ts"
import { layerEngine } from "./Engine.ts"
import { Ledger } from "./Ledger.ts"
import { type Outcome, outcomeOf } from "./Outcome.ts"
import { bytesOf } from "./Script.ts"
import { overrideOf, type Settings } from "./Settings.ts"
import { inVirtualTime, letPass } from "./VirtualTime.ts"
import type { TenantChange, TracedDocument, Workload } from "./Workload.ts"

/** Something keeps documents from ending, and it is none of what a replay can wait for. */
export class ReplayStuck extends Schema.TaggedError<ReplayStuck>()("ReplayStuck", {
  hours: Schema.Finite,
  unfinished: Schema.Natural
}) {
  override get message() {
    return `after ${this.hours.toFixed(1)} hours of virtual time ${this.unfinished} documents have not ended`
  }
}

type Action =
  | { readonly _tag: "Change"; readonly at: number; readonly change: TenantChange }
  | { readonly _tag: "Submit" | "Cancel" | "Retry"; readonly at: number; readonly document: TracedDocument }

const timeline = ({ documents }: Workload, changes: ReadonlyArray<TenantChange>): ReadonlyArray<Action> =>
  [
    ...changes.map((change): Action => ({ _tag: "Change", at: change.at, change })),
    ...documents.flatMap((document): ReadonlyArray<Action> => [
      { _tag: "Submit", at: document.at, document },
      ...(document.cancelledAt === undefined ? [] : [{ _tag: "Cancel", at: document.cancelledAt, document } as const]),
      ...document.retriedAt.map((at): Action => ({ _tag: "Retry", at, document }))
    ])
  ].toSorted((a, b) => a.at - b.at)

/** How each tenant begins, and what changes later. */
const split = ({ changes }: Workload) => {
  const first = new Map<TenantId, TenantChange>()
  const later = changes.filter((change) => {
    if (first.has(change.tenant)) return true
    first.set(change.tenant, change)
    return false
  })
  return { first, later }
}

const stepMillis = 1_000
/** So many times what one worker would need: more, and something is wrong. */
const patience = 10

const play = Effect.fnUntraced(function* (workload: Workload, settings: Settings) {
  const { first, later } = split(workload)
  const ledger = new Ledger()
  const documents = new Map(workload.documents.map((document) => [document.id, document]))
  const outstanding = new Map<string, TenantId>()
  const aliases = new Map<DocumentId, string>()
  const ids = new Map<string, DocumentId>()
  const paused = new Set<TenantId>()
  let acting = 0

  const settingsOf = (tenant: TenantId) => settings.tenants.get(tenant) ?? {}
  const overrides: TenantOverrides = Object.fromEntries(
    [...first].map(([tenant, { limits }]) => [tenant, overrideOf(limits, settingsOf(tenant))])
  )

  const arrives = Effect.fnUntraced(function* (id: string) {
    const document = documents.get(id)
    if (document === undefined) return
    outstanding.set(id, document.tenant)
    const notBefore = document.notBefore ?? 0
    const now = yield* Clock.currentTimeMillis
    if (notBefore > now) {
      yield* Effect.forkIn(
        Effect.delay(
          Effect.sync(() => outstanding.has(id) && ledger.arrived(id, document.tenant, notBefore)),
          notBefore - now
        ),
        scope
      )
    } else ledger.arrived(id, document.tenant, now)
  })

  const happens = Effect.fnUntraced(function* (event: IngestEvent) {
    // The name of a document is what the trace calls it.
    if (event._tag === "DocumentAccepted") {
      aliases.set(event.documentId, event.name)
      ids.set(event.name, event.documentId)
      return yield* arrives(event.name)
    }
    const id = aliases.get(event.documentId)
    if (id === undefined) return
    const now = yield* Clock.currentTimeMillis
    if (event._tag === "PageDone") ledger.paged(id, now)
    if (event._tag !== "DocumentEnded") return
    outstanding.delete(id)
    ledger.ended(id, now)
  })

  const scope = yield* Effect.scope
  const context = yield* Layer.build(
    layerEngine(workload, settings, overrides, {
      happens,
      works: ({ tenant }, workers) => Effect.map(Clock.currentTimeMillis, (now) => ledger.works(tenant, workers, now))
    })
  )
  const ingestion = Context.get(context, Ingestion)

  const setPaused = Effect.fnUntraced(function* (tenant: TenantId, wanted: boolean) {
    if (paused.has(tenant) === wanted) return
    ledger.setPaused(tenant, wanted, yield* Clock.currentTimeMillis)
    if (wanted) paused.add(tenant)
    else paused.delete(tenant)
    yield* wanted ? ingestion.pause(tenant) : ingestion.resume(tenant)
  })

  const change = Effect.fnUntraced(function* ({ limits, tenant, ...changed }: TenantChange) {
    const own = settingsOf(tenant)
    const override = overrideOf(limits, own)
    const now = yield* ingestion.setLimits(tenant, { rate: null, burst: null, ...override })
    ledger.setWeight(tenant, now.weight, yield* Clock.currentTimeMillis)
    yield* setPaused(tenant, own.paused ?? changed.paused)
  })

  const submit = (document: TracedDocument) => {
    const { id, notBefore, priority, tenant } = document
    return ingestion
      .submit(tenant, Stream.make(bytesOf(document)), {
        name: id,
        force: true,
        priority,
        notBefore: notBefore === undefined ? undefined : DateTime.makeUnsafe(notBefore)
      })
      .pipe(Effect.catchTag("LimitReached", () => Effect.sync(() => ledger.refused(tenant))))
  }

  const act = (action: Action): Effect.Effect<unknown, unknown> => {
    if (action._tag === "Change") return change(action.change)
    const { document } = action
    if (action._tag === "Submit") return submit(document)
    const id = ids.get(document.id)
    // It was refused.
    if (id === undefined) return Effect.void
    if (action._tag === "Cancel") return ingestion.cancel(document.tenant, id)
    // Under other settings it may not have come to an end that can be retried.
    return Effect.andThen(
      ingestion.retry(document.tenant, id),
      Effect.suspend(() => arrives(document.id))
    ).pipe(Effect.catchTag(["NotRetryable", "LimitReached"], () => Effect.void))
  }

  for (const [tenant, begins] of first) {
    ledger.setWeight(tenant, (yield* ingestion.tenant(tenant)).limits.weight, 0)
    yield* setPaused(tenant, settingsOf(tenant).paused ?? begins.paused)
  }
  const actions = timeline(workload, later)
  const player = Effect.gen(function* () {
    for (const action of actions) {
      yield* Effect.sleep(Math.max(0, action.at - (yield* Clock.currentTimeMillis)))
      acting++
      const acted = Effect.ensuring(
        Effect.orDie(act(action)),
        Effect.sync(() => acting--)
      )
      yield* Effect.forkIn(acted, scope, { startImmediately: true })
    }
  })
  const playing = yield* Effect.forkIn(player, scope, { startImmediately: true })

  /** What a tenant has that is paused for good stays where it is. */
  const over = Effect.gen(function* () {
    if (playing.pollUnsafe() === undefined || acting > 0) return false
    const tenants = new Set(outstanding.values())
    for (const tenant of tenants) {
      if (!paused.has(tenant) || (yield* ingestion.queueStatus(tenant)).running > 0) return false
    }
    return true
  })
  const longest = patience * (workload.workerMillis + (actions.at(-1)?.at ?? 0)) + 3_600_000
  while (!(yield* over)) {
    const now = yield* Clock.currentTimeMillis
    if (now > longest) return yield* new ReplayStuck({ hours: now / 3_600_000, unfinished: outstanding.size })
    yield* letPass(stepMillis)
  }
  return outcomeOf(ledger, outstanding.values())
})

export const replay = (workload: Workload, settings: Settings): Effect.Effect<Outcome, ReplayStuck> =>
  inVirtualTime(Effect.catchTag(play(workload, settings), "StoreUnavailable", Effect.die))

import { Effect, Exit, Stream } from "effect"
import { plainDocument } from "./PlainDocument.ts"
import type { DocumentPlan, Scenario } from "./Scenario.ts"
import { bytesOf, type Running, type World } from "./World.ts"

const openMillis = 3_000
const firstContent = 1_000_000

/**
 * After everything has ended, no permit may be missing: as many documents as all gates together let through are submitted
 * at once, and must fill the gates and the workers to their limits, and no further.
 */
export const probe = Effect.fnUntraced(function* (
  scenario: Scenario,
  world: World,
  { gauge, ingestion, reader }: Running,
  advance: (until: number) => Effect.Effect<void>
) {
  const { history, ledger, limits, log, store, trouble } = world
  // What was to go wrong and found no occasion is called off.
  trouble.tenantCrashes.clear()
  trouble.workerFaults.length = 0
  yield* advance((yield* world.now) + 5_000)
  for (const gate of ["tenant", "global"] as const) {
    const inUse = yield* gauge(gate)
    if (inUse !== 0)
      history.violate("all permits are free when nothing is queued", `${inUse} of the ${gate} gate in use`)
  }
  if (reader.calls() !== 0) history.violate("no worker works when nothing is queued", `${reader.calls()} calls`)

  const plans: Array<DocumentPlan> = []
  for (const { id: tenant } of scenario.tenants) {
    // What was changed is what counts; only nobody is to be refused.
    const { backlog, burst, rate } = log.now(tenant)
    if (rate !== undefined) yield* Effect.orDie(ingestion.setLimits(tenant, { rate: null, burst: null }))
    if (backlog < 1000 || burst > 1) yield* Effect.orDie(ingestion.setLimits(tenant, { backlog: null, burst: null }))
    for (let nth = 0; nth < log.now(tenant).documents; nth++) {
      const index = firstContent + plans.length
      plans.push({ ...plainDocument(index, tenant), name: `probe-${plans.length}.pdf`, openMillis })
    }
  }
  const before = ledger.entries.size
  reader.resetPeak()
  const submit = (plan: DocumentPlan) =>
    ingestion.submit(plan.tenant, Stream.make(bytesOf(plan.content)), { name: plan.name, force: true }).pipe(
      Effect.tapError(() => Effect.sleep("50 millis")),
      Effect.retry({ while: (error) => error._tag === "LimitReached", times: 10_000 })
    )
  for (const plan of plans) world.addContent(plan)
  const submissions = yield* Effect.forkChild(
    Effect.exit(Effect.forEach(plans, submit, { concurrency: "unbounded", discard: true }))
  )
  yield* advance((yield* world.now) + 2_000)
  const { running } = yield* Effect.orDie(store.stats())
  const most = Math.min(limits.globalDocuments, plans.length)
  const room =
    limits.queueSize >= plans.length && scenario.tenants.every(({ id }) => log.now(id).backlog >= log.now(id).documents)
  if (room && running !== most) history.violate("no permit of a gate is lost", `${running} of ${most} documents run`)
  const calls = Math.min(scenario.capacity, running)
  if (reader.peak() !== calls)
    history.violate("no turn of a worker is lost", `${reader.peak()} of ${calls} workers work`)
  const patience = (yield* world.now) + 600_000
  while (history.violation === undefined) {
    const exit = submissions.pollUnsafe()
    if (exit !== undefined && Exit.isSuccess(exit) && Exit.isFailure(exit.value)) {
      return history.violate("a quiet engine takes documents", String(exit.value.cause))
    }
    if (exit !== undefined && ledger.open.length === 0) break
    if ((yield* world.now) > patience) return history.violate("every history ends", "the probe does not end")
    yield* advance((yield* world.now) + 1_000)
  }
  if (history.violation === undefined && ledger.entries.size !== before + plans.length) {
    history.violate("nothing accepted is lost", `${ledger.entries.size - before} of ${plans.length} probes`)
  }
})

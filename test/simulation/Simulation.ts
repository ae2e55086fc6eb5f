import { Effect, Exit, Random, References, Scheduler, Scope } from "effect"
import { TestClock } from "effect/testing"
import { audit } from "./Audit.ts"
import { isFault, makeCast } from "./Cast.ts"
import { Flow, mostSwitches } from "./Flow.ts"
import type { Violation } from "./History.ts"
import { hoursLater } from "./Hours.ts"
import type { Plant } from "./Plants.ts"
import { probe } from "./Probe.ts"
import { planScenario, type Scenario } from "./Scenario.ts"
import { makeWorld, type World } from "./World.ts"

export interface Report {
  readonly seed: string
  readonly violation: Violation | undefined
  readonly digest: string
  readonly tail: ReadonlyArray<string>
  readonly documents: number
  readonly refused: number
  readonly pagesRead: number
  readonly faults: Readonly<Record<string, number>>
  readonly virtualMillis: number
  readonly lines: number
  /** How often documents gave way to those of other tenants, and how often they may have. */
  readonly switches: number
  readonly mostSwitches: number
  /** Digest of all page results, in the order of documents and pages. */
  readonly results: string
}

export interface Options {
  readonly plant?: Plant | undefined
  readonly verbose?: ((line: string) => void) | undefined
}

/** No history may take longer: what is not over by then never ends. */
const longestMillis = 6 * 3_600_000
/** Several leases, pauses and retries, one after the other. */
const longestIdleMillis = 120_000
/** An attempt whose end could not be written is found by its lease; this long after the last fault, at the latest. */
const longestAbandonedMillis = 120_000
/** What another process left queued is looked for every half minute. */
const rivalForgottenMillis = 40_000

/** Runs one seed from its first submission to the audit. Stops at the first violation. */
const run = Effect.fnUntraced(function* (scenario: Scenario, options: Options) {
  const world = yield* makeWorld(scenario, options.plant, options.verbose)
  const { history, ledger, trouble } = world
  const cast = yield* makeCast(scenario, world)
  const flow = new Flow(scenario, world)
  const failed = () => history.violation !== undefined
  let progress = { pages: 0, at: 0 }
  /** Turns of runners that are lost would otherwise show only when the history does not end. */
  const checkProgress = (now: number) => {
    const pages = world.readings.pagesRead
    if (pages > progress.pages || ledger.open.length === 0) progress = { pages, at: now }
    else if (now - Math.max(progress.at, trouble.calmFrom) > longestIdleMillis) {
      history.violate("runners go on while there is work", `no page is begun for ${longestIdleMillis} ms`)
    }
  }

  const checkStep = Effect.gen(function* () {
    const now = yield* world.now
    const { directory } = cast.main()
    const room = (yield* directory.active) * (world.limits.mailboxCapacity + 1)
    const messages = yield* directory.waiting
    // A process that is on its way out may have been told of work that is its successor's.
    if (messages > room && !cast.stopping()) history.violate("mailboxes are bounded", `${messages} messages`)
    if (scenario.clustered === true) checkProgress(now)
    flow.check(now, cast.main(), cast.stopping() ? Number.POSITIVE_INFINITY : cast.rivalAt() + rivalForgottenMillis)
    const most = mostSwitches(scenario, world)
    if (ledger.preemptions > most) {
      history.violate("documents change places as rarely as fairness allows", `${ledger.preemptions} of ${most} times`)
    }
    for (const entry of ledger.open) {
      if (entry.abandonedAt === undefined) continue
      const since = Math.max(entry.abandonedAt, trouble.calmFrom)
      if (now - since > longestAbandonedMillis) {
        history.violate("a lease that nobody works under ends", `${entry.label} for ${now - since} ms`)
      }
    }
  })

  const advance = Effect.fnUntraced(function* (until: number) {
    for (let now = yield* world.now; now < until && !failed(); now = yield* world.now) {
      yield* TestClock.adjust(Math.min(1_000, until - now))
      yield* checkStep
    }
  })

  for (const { action, at } of scenario.steps) {
    yield* advance(at)
    if (failed()) return { world, cast }
    yield* cast.act(action)
  }
  if (scenario.shares) yield* checkShares(scenario, world, advance)
  for (;;) {
    const now = yield* world.now
    if (failed()) return { world, cast }
    if (ledger.open.length === 0 && cast.quiet() && now >= trouble.calmFrom) break
    if (now > longestMillis) {
      const open = ledger.open.map(({ label, status }) => `${label} ${status}`)
      history.violate("every history ends", `${open.slice(0, 5).join(", ")}; ${cast.pending.size} calls`)
      return { world, cast }
    }
    yield* advance(now + 1_000)
  }
  yield* audit(scenario, world)
  if (!failed()) yield* probe(scenario, world, cast.main(), advance)
  if (!failed() && scenario.hoursLater) yield* hoursLater(scenario, world)
  return { world, cast }
})

/** While every tenant has more work than it can get, what it gets follows its weight. */
const checkShares = Effect.fnUntraced(function* (
  scenario: Scenario,
  { history, ledger, now, readings }: World,
  advance: (until: number) => Effect.Effect<void>
) {
  // Until page times are known, turns are of any length.
  yield* advance(1_000)
  const before = new Map(readings.usedMillis)
  const backlogged = () => {
    const waiting = new Set(ledger.open.flatMap(({ status, tenant }) => (status === "queued" ? [tenant] : [])))
    return waiting.size === scenario.tenants.length
  }
  while (backlogged() && history.violation === undefined) yield* advance((yield* now) + 250)
  const measured = (yield* now) - 1_000
  if (measured < leastMeasuredMillis) return
  const weights = scenario.tenants.reduce((sum, { weight }) => sum + weight, 0)
  for (const { id, weight } of scenario.tenants) {
    const got = ((readings.usedMillis.get(id) ?? 0) - (before.get(id) ?? 0)) / (measured * scenario.capacity)
    const entitled = weight / weights
    const detail = `${id} got ${got.toFixed(3)} of the worker time in ${measured} ms, entitled to ${entitled.toFixed(3)}`
    history.note(detail)
    if (Math.abs(got - entitled) > shareTolerance) history.violate("shares of worker time follow the weights", detail)
  }
})

const leastMeasuredMillis = 5_000
const shareTolerance = 0.06

/** Fibers take turns in microtasks, so a history needs no turn of the event loop, and no timer decides anything. */
const scheduler = () =>
  new Scheduler.MixedScheduler("async", (task) => {
    let wanted = true
    queueMicrotask(() => wanted && task())
    return () => {
      wanted = false
    }
  })

/** Closes the scope while time goes on, because stopping an engine takes some. */
const inTime = <A, E>(effect: Effect.Effect<A, E, Scope.Scope>) =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const result = yield* Effect.provideService(effect, Scope.Scope, scope)
    const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
    while (closing.pollUnsafe() === undefined) yield* TestClock.adjust("1 second")
    return result
  })

export const simulate = (seed: number, options: Options = {}): Effect.Effect<Report> =>
  simulateScenario(planScenario(seed), options)

export const simulateScenario = (scenario: Scenario, options: Options = {}): Effect.Effect<Report> =>
  run(scenario, options).pipe(
    Effect.flatMap(({ cast, world }) =>
      Effect.map(world.now, (virtualMillis): Report => {
        const faults: Record<string, number> = {}
        for (const { action } of scenario.steps) {
          if (isFault(action)) faults[action._tag] = (faults[action._tag] ?? 0) + 1
        }
        const { history, ledger, readings } = world
        // Nothing is to be learned from the orderly end of a world that is out of order.
        if (history.violation !== undefined) world.killAll()
        return {
          seed: scenario.seed,
          violation: history.violation,
          digest: history.digest(),
          tail: history.tail,
          documents: ledger.entries.size,
          refused: cast.refused(),
          pagesRead: readings.pagesRead,
          faults,
          virtualMillis,
          lines: history.lines,
          switches: ledger.preemptions,
          mostSwitches: mostSwitches(scenario, world),
          results: ledger.results()
        }
      })
    ),
    inTime,
    Effect.provide(TestClock.layer({ warningDelay: "1 hour" })),
    Random.withSeed(scenario.seed),
    Effect.provideService(References.MinimumLogLevel, "None"),
    Effect.provideService(References.TracerEnabled, false),
    Effect.provideService(Scheduler.Scheduler, scheduler())
  )

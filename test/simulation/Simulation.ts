import {
  Cause,
  DateTime,
  Effect,
  Exit,
  type Fiber,
  Random,
  References,
  Schedule,
  Scheduler,
  Scope,
  Stream
} from "effect"
import { TestClock } from "effect/testing"
import type { Document } from "../../src/domain/Document.ts"
import type { SubmitOptions } from "../../src/actors/Ingestion.ts"
import type { TenantId } from "../../src/domain/Ids.ts"
import { audit } from "./Audit.ts"
import { Dice } from "./Dice.ts"
import type { Violation } from "./History.ts"
import type { Plant } from "./Plants.ts"
import { probe } from "./Probe.ts"
import { type Action, type DocumentPlan, planScenario, type Scenario } from "./Scenario.ts"
import { bytesOf, makeWorld, type Running, type World } from "./World.ts"

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
  /** Digest of all page results, in the order of documents and pages. */
  readonly results: string
}

export interface Options {
  readonly plant?: Plant | undefined
  readonly verbose?: ((line: string) => void) | undefined
}

/** No history may take longer: what is not over by then never ends. */
const longestMillis = 6 * 3_600_000
/** An attempt whose end could not be written is found by its lease; this long after the last fault, at the latest. */
const longestAbandonedMillis = 120_000

const isFault = ({ _tag }: Action) => _tag !== "Submit"

/** The processes of a world, and what its users do. */
const makeCast = Effect.fnUntraced(function* (scenario: Scenario, world: World) {
  const { history, ledger, trouble } = world
  const scope = yield* Effect.scope
  const dice = new Dice(`cast ${scenario.seed}`)
  const submitted = new Map<number, Document>()
  const pending = new Set<Fiber.Fiber<unknown, unknown>>()
  let refused = 0
  let main = yield* Effect.orDie(world.start)
  let rival: Running | undefined
  let stopping = false

  const background = <A, E>(effect: Effect.Effect<A, E>) =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkIn(effect, scope, { startImmediately: true })
      pending.add(fiber)
      fiber.addObserver(() => pending.delete(fiber))
    })

  const anyone = () => (rival !== undefined && dice.chance(0.5) ? rival : main)

  const outcome =
    (what: string) =>
    <A, E>(effect: Effect.Effect<A, E>) =>
      Effect.map(Effect.exit(effect), (exit) => {
        const brief = Exit.isSuccess(exit) ? "done" : Cause.pretty(exit.cause).split("\n")[0]
        history.note(`${what}: ${brief}`)
        return exit
      })

  const submit = Effect.fnUntraced(function* (plan: DocumentPlan) {
    const { ingestion } = anyone()
    const at = yield* world.now
    const options: SubmitOptions = {
      name: plan.name,
      force: plan.force,
      priority: plan.priority,
      notBefore: plan.notBefore === undefined ? undefined : DateTime.makeUnsafe(at + plan.notBefore)
    }
    const exit = yield* ingestion
      .submit(plan.tenant, Stream.make(bytesOf(plan.content)), options)
      .pipe(outcome(`submit ${plan.index}`))
    if (Exit.isFailure(exit)) {
      refused++
      return
    }
    const { id } = exit.value
    submitted.set(plan.index, exit.value)
    if (ledger.entry(id) === undefined)
      history.violate("what is answered for is in the store", `document ${plan.index}`)
    if (plan.followed) yield* follow(plan, exit.value, ingestion)
  })

  const follow = Effect.fnUntraced(function* (plan: DocumentPlan, document: Document, ingestion: Running["ingestion"]) {
    const pages = new Set<number>()
    let ends = 0
    const follower = ingestion.follow(plan.tenant, document.id).pipe(
      Stream.runForEach((event) =>
        Effect.sync(() => {
          if (event._tag === "DocumentEnded") ends++
          if (event._tag !== "PageDone") return
          if (pages.has(event.page))
            history.violate("a follower is told of a page once", `${plan.index} page ${event.page}`)
          pages.add(event.page)
        })
      )
    )
    yield* background(
      Effect.map(Effect.exit(follower), (exit) => {
        history.note(`follower of ${plan.index} has seen ${pages.size} pages and ${ends} ends`)
        if (Exit.isSuccess(exit) && ends !== 1) {
          history.violate("a follower sees the end once", `${plan.index}: ${ends} ends`)
        }
      })
    )
  })

  const restart = (end: "stop" | "kill") =>
    Effect.gen(function* () {
      // One at a time: a process that is stopping is not stopped again.
      if (stopping) return
      stopping = true
      if (end === "kill") yield* background(main.kill)
      else yield* main.stop
      main = yield* world.start
      stopping = false
    })

  const compete = Effect.fnUntraced(function* (millis: number, killed: boolean) {
    if (rival !== undefined) return
    const competitor = yield* world.start
    rival = competitor
    yield* Effect.sleep(millis)
    rival = undefined
    yield* killed ? competitor.kill : competitor.stop
  })

  const pause = Effect.fnUntraced(function* (tenant: TenantId, millis: number) {
    yield* main.ingestion.pause(tenant).pipe(outcome(`pause ${tenant}`))
    yield* Effect.sleep(millis)
    yield* Effect.suspend(() => main.ingestion.resume(tenant)).pipe(Effect.retry(Schedule.spaced("1 second")))
  })

  const act = Effect.fnUntraced(function* (action: Action) {
    const now = yield* world.now
    if (isFault(action)) history.note(`fault: ${JSON.stringify(action)}`)
    switch (action._tag) {
      case "Submit":
        return yield* background(submit(action.document))
      case "Cancel":
      case "Remove": {
        const document = submitted.get(action.document)
        if (document === undefined) return
        const { ingestion } = anyone()
        const ended =
          action._tag === "Cancel"
            ? ingestion.cancel(document.tenantId, document.id)
            : ingestion.remove(document.tenantId, document.id)
        for (let times = action.twice ? 2 : 1; times > 0; times--) {
          yield* background(ended.pipe(outcome(`${action._tag} ${action.document}`)))
        }
        return
      }
      case "Retry": {
        const document = submitted.get(action.document)
        if (document === undefined) return
        return yield* background(
          anyone()
            .ingestion.retry(document.tenantId, document.id)
            .pipe(outcome(`retry ${action.document}`))
        )
      }
      case "Pause":
        return yield* background(pause(action.tenant, action.millis))
      case "WorkerDies":
        return void trouble.workerFaults.push(action.memory ? "dies of memory" : "dies")
      case "WorkerHangs":
        return void trouble.workerFaults.push("hangs")
      case "EngineDown":
        return trouble.engineDown(now + action.millis)
      case "StoreDown":
        return trouble.storeDown(action.operation, now + action.millis)
      case "LeaseLoss":
        trouble.storeDown("renew", now + action.renewMillis)
        trouble.storeDown("savePage", now + action.writeMillis)
        return trouble.storeDown("finish", now + action.writeMillis)
      case "StoreErrors":
        return trouble.storeErrors(action.share, now + action.millis)
      case "StoreSlow":
        return trouble.storeSlow(action.before, action.after, now + action.millis)
      case "BlobsDown":
        return trouble.blobsDown(now + action.millis)
      case "TenantCrash":
        return void trouble.tenantCrashes.add(action.tenant)
      case "Restart":
        return yield* background(restart("stop"))
      case "Kill":
        return yield* background(restart("kill"))
      case "Rival":
        return yield* background(compete(action.millis, action.killed))
    }
  })

  return {
    act,
    submitted,
    pending,
    refused: () => refused,
    main: () => main,
    stopping: () => stopping,
    quiet: () => pending.size === 0 && !stopping
  }
})

/** Runs one seed from its first submission to the audit. Stops at the first violation. */
const run = Effect.fnUntraced(function* (scenario: Scenario, options: Options) {
  const world = yield* makeWorld(scenario, options.plant, options.verbose)
  const { history, ledger, trouble } = world
  const cast = yield* makeCast(scenario, world)
  const failed = () => history.violation !== undefined

  const checkStep = Effect.gen(function* () {
    const now = yield* world.now
    const { directory } = cast.main()
    const room = (yield* directory.active) * (world.limits.mailboxCapacity + 1)
    const messages = yield* directory.waiting
    // A process that is on its way out may have been told of work that is its successor's.
    if (messages > room && !cast.stopping()) history.violate("mailboxes are bounded", `${messages} messages`)
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

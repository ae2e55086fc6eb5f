import { Cause, DateTime, Effect, Exit, type Fiber, Schedule, Stream } from "effect"
import type { SubmitOptions } from "../../src/actors/Ingestion.ts"
import type { Document } from "../../src/domain/document/Document.ts"
import type { TenantId } from "../../src/domain/Ids.ts"
import type { TenantLimitsPatch } from "../../src/domain/tenant/TenantLimits.ts"
import { Dice } from "./Dice.ts"
import type { Action, DocumentPlan, Scenario } from "./Scenario.ts"
import { staged } from "./SimulatedStages.ts"
import { urlOf } from "./SimulatedSources.ts"
import { bytesOf, type Running, type World } from "./World.ts"

/** What is not simply the work that comes in. */
export const isFault = ({ _tag }: Action) => _tag !== "Submit"

/** The processes of a world, and what its users do. */
export const makeCast = Effect.fnUntraced(function* (scenario: Scenario, world: World) {
  const { admissions, history, ledger, trouble } = world
  const scope = yield* Effect.scope
  const dice = new Dice(`cast ${scenario.seed}`)
  const submitted = new Map<number, Document>()
  const pending = new Set<Fiber.Fiber<unknown, unknown>>()
  let refused = 0
  let main = yield* Effect.orDie(world.start)
  let rival: Running | undefined
  let stopping = false
  let starting = false
  /** When a second process last worked over the store: what it leaves behind is found after a while only. */
  let rivalAt = Number.NEGATIVE_INFINITY

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
    const { ingestion, process } = anyone()
    const at = yield* world.now
    const options: SubmitOptions = {
      name: plan.name,
      force: plan.force,
      priority: plan.priority,
      pipeline: scenario.staged === true ? staged : undefined,
      notBefore: plan.notBefore === undefined ? undefined : DateTime.makeUnsafe(at + plan.notBefore)
    }
    const submission =
      plan.source === undefined
        ? ingestion.submit(plan.tenant, Stream.make(bytesOf(plan.content)), options)
        : ingestion.submitSource(plan.tenant, urlOf(plan), options)
    const exit = yield* submission.pipe(outcome(`submit ${plan.index}`))
    if (Exit.isFailure(exit)) {
      refused++
      return
    }
    const { id } = exit.value
    admissions.add(process, plan.tenant, at)
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
    if (rival !== undefined || starting) return
    starting = true
    const competitor = yield* world.start
    starting = false
    rival = competitor
    yield* Effect.sleep(millis)
    rival = undefined
    yield* killed ? competitor.kill : competitor.stop
    rivalAt = yield* world.now
  })

  /** One process is told. Others find it among the rows, and one that starts later, too. */
  const setLimits = Effect.fnUntraced(function* (tenant: TenantId, patch: TenantLimitsPatch) {
    while (stopping || starting) yield* Effect.sleep(100)
    yield* anyone()
      .ingestion.setLimits(tenant, patch)
      .pipe(outcome(`limits of ${tenant}`))
  })

  const withdraw = Effect.fnUntraced(function* (index: number, { id, tenantId }: Document) {
    const exit = yield* anyone()
      .ingestion.withdraw(tenantId, id)
      .pipe(outcome(`withdraw ${index}`))
    const entry = ledger.entry(id)
    if (Exit.isSuccess(exit) && entry?.removed === false && entry.shares === 0) {
      history.violate("what is taken back is gone", entry.label)
    }
  })

  const retry = Effect.fnUntraced(function* (index: number, { id, tenantId }: Document) {
    const { ingestion, process } = anyone()
    const at = yield* world.now
    const exit = yield* ingestion.retry(tenantId, id).pipe(outcome(`retry ${index}`))
    if (Exit.isSuccess(exit)) admissions.add(process, tenantId, at)
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
        return yield* background(retry(action.document, document))
      }
      case "Withdraw": {
        const document = submitted.get(action.document)
        if (document === undefined) return
        return yield* background(withdraw(action.document, document))
      }
      case "Limits":
        return yield* background(setLimits(action.tenant, action.patch))
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
        trouble.storeDown("savePages", now + action.writeMillis)
        trouble.storeDown("saveArtifacts", now + action.writeMillis)
        return trouble.storeDown("finish", now + action.writeMillis)
      case "StoreErrors":
        return trouble.storeErrors(action.share, now + action.millis)
      case "StoreSlow":
        return trouble.storeSlow(action.before, action.after, now + action.millis)
      case "BlobsDown":
        return trouble.blobsDown(now + action.millis)
      case "FarDown":
        return trouble.farDown(now + action.millis)
      case "TenantCrash":
        return void trouble.tenantCrashes.add(action.tenant)
      case "Restart":
        return yield* background(restart("stop"))
      case "Kill":
        return yield* background(restart("kill"))
      case "TurnsMove":
        return yield* background(world.turns.move(action.millis))
      case "TurnsDisturbed":
        return world.turns.disturb(action.share, now + action.millis)
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
    /** Another process works over the same store, or is about to, or did so at this moment. */
    rivalAt: () => (rival !== undefined || starting ? Number.POSITIVE_INFINITY : rivalAt),
    quiet: () => pending.size === 0 && !stopping
  }
})

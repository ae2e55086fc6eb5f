import { Clock, Effect, Result } from "effect"
import type { RateLimiter } from "effect/persistence"
import type { DownstreamName } from "../../domain/downstream/Downstream.ts"
import {
  type CallOptions,
  type DownstreamFailure,
  type FarSideError,
  InvalidChange
} from "../../services/downstreams/Downstreams.ts"
import type { DownstreamChange, DownstreamSettings } from "../../services/downstreams/DownstreamSettings.ts"
import type { TenantRegistry } from "../../services/TenantRegistry.ts"
import type { UsageRecorder } from "../usage/UsageRecorder.ts"
import { Dispatcher } from "./Dispatcher.ts"
import { isFarSideError } from "./FarSide.ts"
import { Figures } from "./Figures.ts"
import { LiveSettings } from "./LiveSettings.ts"
import { isPassing, retrySchedule } from "./RetryPolicy.ts"
import { stateOf } from "./StateView.ts"
import { makeTries, TurnedAway } from "./Tries.ts"
import { makeUsageChecks } from "./UsageChecks.ts"
import { makeInPlace } from "./Waiting.ts"

/** A call that is tried again goes before the others of its tenant. */
const retryPriority = 1_000_000

interface Dependencies {
  readonly rates: RateLimiter.RateLimiter
  readonly usage: UsageRecorder["Service"]
  readonly registry: TenantRegistry["Service"]
}

/** One downstream: its places, its budgets, its breaker, and the one loop of retries. */
export const makeDownstream = Effect.fnUntraced(function* (
  name: DownstreamName,
  settings: DownstreamSettings,
  { rates, registry, usage }: Dependencies
) {
  const figures = yield* Figures.make(name)
  const live = new LiveSettings(settings)
  const dispatcher = new Dispatcher(name, live, figures, rates)
  const inPlace = makeInPlace(dispatcher, figures, yield* makeTries({ name, dispatcher, figures, usage }))
  const check = yield* makeUsageChecks(name, dispatcher, usage)
  yield* dispatcher.loop

  const tried = Effect.fnUntraced(function* <A, E, R>(
    { class: kind = "batch", estimate, priority = 0, tenant, weight }: CallOptions,
    effect: Effect.Effect<A, E, R>
  ) {
    yield* check(tenant)
    dispatcher.places.setWeight(tenant, weight ?? (yield* registry.limits(tenant)).weight)
    const cap = live.capsOf(tenant).concurrency ?? Number.POSITIVE_INFINITY
    const once = (of: number) =>
      inPlace({ tenant, class: kind, cap, estimate, priority: of }, effect).pipe(
        Effect.retry({ while: (error) => error instanceof TurnedAway })
      )
    return yield* Effect.catchIf(once(priority), isPassing, (first) => {
      // The schedule gets the known failure as its first try, so that it waits before it makes a further call.
      let next: ReturnType<typeof once> = Effect.fail(first)
      const attempts = Effect.suspend(() => {
        const now = next
        next = once(priority + retryPriority)
        return now
      })
      return Effect.retry(attempts, { schedule: retrySchedule(settings.retry), while: isPassing })
    })
  })

  const call = <A, E, R>(options: CallOptions, effect: Effect.Effect<A, E, R>) =>
    tried(options, effect).pipe(
      Effect.mapError((error) => {
        const mapped = isFarSideError(error) ? dispatcher.failureOf(error) : error
        // oxlint-disable-next-line typescript/consistent-type-assertions -- a type parameter is not narrowed by exclusion
        return mapped as Exclude<E, FarSideError> | DownstreamFailure
      }),
      Effect.withSpan("Downstreams.call", { attributes: { "downstream.name": name, "tenant.id": options.tenant } })
    )

  const state = Effect.map(Clock.currentTimeMillis, (now) => stateOf(name, dispatcher, figures, now))

  const change = (by: DownstreamChange) =>
    Effect.suspend(() => {
      const changed = live.change(by)
      if (Result.isFailure(changed)) return Effect.fail(new InvalidChange({ detail: changed.failure }))
      dispatcher.settingsChanged()
      return state
    })

  return { call, state, change }
})

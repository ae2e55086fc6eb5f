import { Cause, Context, Duration, Effect, Exit, Layer, Option, Schedule, Schema } from "effect"
import { CircuitBreaker } from "effect/persistence"
import type { TenantId } from "../../domain/Ids.ts"
import type { CallbackFailed, CallbackRefused } from "../../services/CallbackSender.ts"
import type { SealBroken } from "../../services/secrets/Secrets.ts"
import { shortestDelayMillis } from "./DeliveryBackoff.ts"

// Deliveries to a host that did not answer are deferred for a while: each would hold a place until its timeout. There is one
// circuit for each tenant and host, which opens with the first delivery without an answer, and one for each tenant, which opens
// when several of its hosts in a row did not answer. So a tenant's deliveries do not affect another tenant.
//
// A circuit is open for no longer than the shortest delay before the next try, so the delivery that opened it is not deferred.
// After that, one delivery at a time is tried.

const firstOpen = Duration.millis(shortestDelayMillis)
/** Grows more slowly than the delays between tries of one delivery, so that a host with one delivery is always tried. */
const openDuration = Schedule.min([Schedule.exponential(firstOpen), Schedule.spaced("1 minute")])
/** With this many hosts in a row that did not answer, all deliveries of the tenant are deferred. */
const hostsPerTenant = 4
/** The library forgets circuits by time only, so all are forgotten together when this many were used. */
const mostCircuits = 4_096

/** The delivery was not tried. */
export class Deferred extends Schema.TaggedError<Deferred>()("Deferred", { detail: Schema.String }) {
  override get message() {
    return `not tried: ${this.detail}`
  }
}

/** The library's store in memory, with a bound. */
const boundedStore = Effect.gen(function* () {
  const makeStore = Effect.map(Effect.scoped(Layer.build(Layer.fresh(CircuitBreaker.layerStoreMemory()))), (context) =>
    Context.get(context, CircuitBreaker.CircuitBreakerStore)
  )
  const keys = new Set<string>()
  let store = yield* makeStore
  return CircuitBreaker.CircuitBreakerStore.of({
    admit: Effect.fnUntraced(function* (key) {
      if (!keys.has(key) && keys.size >= mostCircuits) {
        keys.clear()
        store = yield* makeStore
      }
      keys.add(key)
      return yield* store.admit(key)
    }),
    record: (options) => Effect.suspend(() => store.record(options)),
    state: (key) => Effect.suspend(() => store.state(key))
  })
})

/** Errors of a delivery. */
type SendError = CallbackFailed | CallbackRefused | SealBroken

/** The errors that mean that the host did not answer; others say nothing of it. */
export const isSilence = (error: SendError): boolean =>
  error._tag === "CallbackFailed" || (error._tag === "CallbackRefused" && error.mayChange === true)

const outcomeOf = (exit: Exit.Exit<unknown, SendError | Deferred>): CircuitBreaker.Outcome => {
  if (Exit.isSuccess(exit)) return CircuitBreaker.success
  const error = Option.getOrUndefined(Cause.findErrorOption(exit.cause))
  const isSilent = error !== undefined && error._tag !== "Deferred" && isSilence(error)
  return isSilent ? CircuitBreaker.failure() : CircuitBreaker.ignored
}

const deferredBecause =
  (detail: string) =>
  <A, R>(call: Effect.Effect<A, SendError | Deferred | CircuitBreaker.CircuitBreakerError, R>) =>
    Effect.catchTag(call, "CircuitBreakerError", () => Effect.fail(new Deferred({ detail })))

/** Makes a function that makes a delivery to a host of a tenant, or fails with `Deferred`. */
export const makeHostCircuitBreaker = Effect.gen(function* () {
  const hosts = yield* CircuitBreaker.make({ tripPolicy: CircuitBreaker.consecutive(1), openDuration })
  const tenants = yield* CircuitBreaker.make({
    tripPolicy: CircuitBreaker.consecutive(hostsPerTenant),
    openDuration: firstOpen
  })

  /** A host that had not answered before says nothing more of the tenant. */
  const isNewlySilent = (key: string) =>
    Effect.match(hosts.state(key), {
      onSuccess: (state) => state._tag === "Open" && state.consecutiveOpenings === 1,
      onFailure: () => true
    })

  return <A, R>(tenant: TenantId, origin: string, call: Effect.Effect<A, SendError, R>) => {
    const key = `${tenant} ${origin}`
    const ofHost = hosts
      .execute(call, { key, classify: outcomeOf })
      .pipe(deferredBecause("the host did not answer a moment ago"))
    return tenants
      .execute(ofHost, {
        key: tenant,
        classify: (exit: Exit.Exit<A, SendError | Deferred>) => {
          const outcome = outcomeOf(exit)
          return outcome._tag === "Failure"
            ? Effect.map(isNewlySilent(key), (isNew) => (isNew ? outcome : CircuitBreaker.ignored))
            : outcome
        }
      })
      .pipe(deferredBecause("several hosts of the tenant did not answer a moment ago"))
  }
}).pipe(Effect.provideServiceEffect(CircuitBreaker.CircuitBreakerStore, boundedStore))

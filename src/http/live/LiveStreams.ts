import { Config, Context, Deferred, Duration, Effect, Layer, type Scope, Stream } from "effect"
import { KeyedLimit } from "../../services/KeyedLimit.ts"
import type { TenantId } from "../../domain/Ids.ts"
import { count } from "../../services/config/ConfigValues.ts"
import { ServiceUnavailable, someTime, TooManyRequests } from "../api/problems/Problems.ts"

const defaultLimits = { perTenant: 200, total: 2_000 }

/** Limits on open connections for live answers. Each costs a socket, and a client may leave any number of them open. */
export const StreamLimits = Context.Reference<{ readonly perTenant: number; readonly total: number }>(
  "sluice/http/live/LiveStreams/StreamLimits",
  { defaultValue: () => defaultLimits }
)

const most = 1_000_000

/** `PER_TENANT_STREAMS` and `MAX_STREAMS`. */
export const StreamLimitsConfig = Config.all({
  perTenant: count("PER_TENANT_STREAMS", most).pipe(Config.withDefault(defaultLimits.perTenant)),
  total: count("MAX_STREAMS", most).pipe(Config.withDefault(defaultLimits.total))
})

/** The limits from the environment. */
export const limitsFromEnv = Layer.effect(StreamLimits, StreamLimitsConfig)

/** Long-lived answers: they are counted, and end when the server stops. */
export class LiveStreams extends Context.Service<
  LiveStreams,
  {
    /** Counts one stream until the request ends, or refuses it. */
    readonly enter: (tenant: TenantId) => Effect.Effect<void, TooManyRequests | ServiceUnavailable, Scope.Scope>
    /** Ends the stream when the server stops. */
    readonly untilClosed: <A, E, R>(stream: Stream.Stream<A, E, R>) => Stream.Stream<A, E, R>
    /** Waits until the server stops. */
    readonly closed: Effect.Effect<void>
    /** Ends the streams under way and refuses new ones. */
    readonly close: Effect.Effect<void>
    readonly count: (tenant?: TenantId) => number
  }
>()("sluice/http/live/LiveStreams") {
  static readonly layer = Layer.effect(
    LiveStreams,
    Effect.gen(function* () {
      const { perTenant, total } = yield* StreamLimits
      const closed = yield* Deferred.make<void>()
      const held = new KeyedLimit<TenantId>({ perKey: perTenant, total })

      const tooMany = (limit: number, whose: string) =>
        new TooManyRequests({
          code: "TOO_MANY_STREAMS",
          detail: `${whose} holds ${limit} connections that wait or follow, which is the limit`,
          advice: "Close some of them, or follow all documents of the tenant by one stream: GET /v1/events.",
          limit,
          retryAfter: someTime
        })
      const enter = (tenant: TenantId) =>
        Effect.suspend((): Effect.Effect<void, TooManyRequests | ServiceUnavailable> => {
          if (Deferred.isDoneUnsafe(closed)) {
            const detail = "the server is stopping"
            return Effect.fail(new ServiceUnavailable({ code: "SHUTTING_DOWN", detail, retryAfter: someTime }))
          }
          switch (held.take(tenant, 1)) {
            case undefined:
              return Effect.void
            case "key":
              return Effect.fail(tooMany(perTenant, "the tenant"))
            case "total":
              return Effect.fail(tooMany(total, "the server"))
          }
        })
      const leave = (tenant: TenantId) => Effect.sync(() => held.add(tenant, -1))

      return LiveStreams.of({
        enter: (tenant) => Effect.acquireRelease(enter(tenant), () => leave(tenant)),
        untilClosed: Stream.interruptWhen(Deferred.await(closed)),
        closed: Deferred.await(closed),
        close: Effect.asVoid(Deferred.succeed(closed, undefined)),
        count: (tenant) => held.held(tenant)
      })
    })
  )

  /** Ends the streams before the server waits for requests in flight. Must be released before the server. */
  static readonly layerClosing = Layer.effectDiscard(
    Effect.flatMap(LiveStreams, ({ close }) => Effect.addFinalizer(() => close))
  )
}

/** The longest silence of a waiting answer: shorter than the idle timeouts of proxies and of this server. */
export const heartbeat = Duration.seconds(15)

/** Proxies must neither cache nor buffer such an answer. */
export const liveHeaders = {
  // `no-transform` also prevents compression, here and in proxies: it takes memory as long as the answer lasts.
  "cache-control": "no-store, no-transform",
  "x-accel-buffering": "no"
}

import { Clock, Context, Duration, Effect, Exit } from "effect"
import { HttpMiddleware, HttpServerRequest, type HttpServerResponse } from "effect/http"
import * as Telemetry from "../../observability/Telemetry.ts"
import { routeOf } from "./Tracing.ts"

// Rate, errors and duration of the requests, by route. Arbitrary methods and paths must not become series.

const methods: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])

const series = new Map<string, ReturnType<typeof make>>()

const make = (method: string, route: string, status: string) => ({
  count: Telemetry.httpRequests.series(method, route, status),
  duration: Telemetry.httpDuration.series(method, route)
})

/** The number of series is bounded by the number of routes. */
const seriesOf = (method: string, route: string, status: string) => {
  const key = `${method} ${route} ${status}`
  const known = series.get(key)
  if (known !== undefined) return known
  const made = make(method, route, status)
  series.set(key, made)
  return made
}

/**
 * Counts and times every request, also a failed or interrupted one. The server never interrupts this before it has counted. Every
 * request comes here, so the metrics are updated in two steps instead of a dozen.
 */
export const middleware = HttpMiddleware.make((app) =>
  Effect.contextWith((context: Context.Context<HttpServerRequest.HttpServerRequest>) => {
    const clock = Context.get(context, Clock.Clock)
    const request = Context.get(context, HttpServerRequest.HttpServerRequest)
    const start = clock.currentTimeNanosUnsafe()
    const ended = (exit: Exit.Exit<HttpServerResponse.HttpServerResponse, unknown>) =>
      Effect.sync(() => {
        const status = Exit.isSuccess(exit) ? `${Math.floor(exit.value.status / 100)}xx` : "aborted"
        const method = methods.has(request.method) ? request.method : "other"
        const nanos = clock.currentTimeNanosUnsafe() - start
        const { count, duration } = seriesOf(method, routeOf(request) ?? "none", status)
        Telemetry.httpInFlight.modifyUnsafe(-1, context)
        count.updateUnsafe(1, context)
        duration.updateUnsafe(Duration.nanos(nanos > 0n ? nanos : 0n), context)
      })
    Telemetry.httpInFlight.modifyUnsafe(1, context)
    return Effect.onExit(app, ended)
  })
)

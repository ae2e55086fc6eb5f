import { Duration, Effect, Exit, Metric } from "effect"
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

const answered = (request: HttpServerRequest.HttpServerRequest, status: string, nanos: bigint) => {
  const method = methods.has(request.method) ? request.method : "other"
  const { count, duration } = seriesOf(method, routeOf(request) ?? "none", status)
  return Effect.andThen(Metric.update(count, 1), Metric.update(duration, Duration.nanos(nanos > 0n ? nanos : 0n)))
}

/** Counts and times every request, also a failed or interrupted one. The server never interrupts this before it has counted. */
export const middleware = HttpMiddleware.make((app) =>
  Effect.clockWith((clock) => {
    const start = clock.currentTimeNanosUnsafe()
    const ended = (exit: Exit.Exit<HttpServerResponse.HttpServerResponse, unknown>) =>
      Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => {
        const status = Exit.isSuccess(exit) ? `${Math.floor(exit.value.status / 100)}xx` : "aborted"
        return Effect.andThen(
          Metric.modify(Telemetry.httpInFlight, -1),
          answered(request, status, clock.currentTimeNanosUnsafe() - start)
        )
      })
    return Effect.andThen(Metric.modify(Telemetry.httpInFlight, 1), Effect.onExit(app, ended))
  })
)

import { Effect, Metric } from "effect"
import * as Telemetry from "../../observability/Telemetry.ts"
import { ServiceUnavailable, someTime, TooManyRequests } from "../api/problems/Problems.ts"

export type UnsentRefusal = TooManyRequests | ServiceUnavailable

const advice = "Read the answers that are under way, or ask for smaller ones."

const refusalOf = (by: "key" | "total", limit: number): UnsentRefusal => {
  const known = { advice, limit, retryAfter: someTime }
  return by === "key"
    ? new TooManyRequests({
        code: "TENANT_UNSENT_BYTES",
        detail: `the tenant's answers that were not read yet hold their limit of ${limit} bytes`,
        ...known
      })
    : new ServiceUnavailable({
        code: "GLOBAL_UNSENT_BYTES",
        detail: `the answers that were not read yet hold their limit of ${limit} bytes`,
        ...known
      })
}

/** Refuses an answer because of the tenant's limit (`key`) or that of all (`total`), and counts it. */
export const refuseUnsent = (by: "key" | "total", limits: { readonly key: number; readonly total: number }) =>
  Effect.andThen(
    Metric.update(Telemetry.httpUnsentRefused.of(by === "key" ? "tenant" : "global"), 1),
    Effect.fail(refusalOf(by, limits[by]))
  )

import { hash } from "node:crypto"
import { Clock, Context, Effect, Layer, Metric } from "effect"
import type { HttpServerResponse } from "effect/http"
import type { LimitReached } from "../../actors/Ingestion.ts"
import type { TenantId } from "../../domain/Ids.ts"
import * as Telemetry from "../../observability/Telemetry.ts"
import { KeyedLimit } from "../../services/KeyedLimit.ts"
import { problemResponse, TooManyRequests } from "../api/problems/Problems.ts"
import { CurrentTenant } from "../auth/CurrentTenant.ts"
import { limitOf, type Rejection } from "../upload/Rejection.ts"

/**
 * Even refusing thousands of requests a second delays the uploads of other tenants. So the refusals of one tenant beyond the
 * first few in a second are delayed, and the sender of a delayed one is remembered for a second by a digest of its request head.
 * Its further requests are refused by the head alone, before authentication and before reading the body. After that second, one
 * request is let through as a probe; the others are refused for another second, unless the probe is accepted.
 *
 * Only senders whose request head names the tenant are remembered, and never a request with an idempotency key: it may be
 * entitled to the answer kept under that key.
 */

/** Refusals of one tenant per second that are answered at once: more than clients that obey Retry-After ever cause. */
const prompt = { perKey: 20, total: Number.POSITIVE_INFINITY }
const pause = Effect.sleep("250 millis")

/** Milliseconds for which a sender is refused by its head. Room that becomes free in that time stays unused by it. */
const rememberMillis = 1000

/** At most so many senders are remembered; no further one is until another is forgotten. */
const mostSenders = 1000

/**
 * Whether the limit applies to every request alike. A byte limit does not: a smaller upload may fit where a larger one does not.
 * A rate limit does not either: a request within the rate must not be refused because earlier ones exceeded it.
 */
const isForAll = (limit: LimitReached["limit"]) => limit === "tenant_queue" || limit === "global_queue"

/** The head of a request. */
export interface RequestHead {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string | undefined>>
}

interface Remembered {
  readonly limit: LimitReached["limit"]
  readonly response: HttpServerResponse.HttpServerResponse
  readonly until: number
}

/** A sender stays known for a second beyond `until`, for its probe. When the clock was set back, it is not known. */
const isKnown = ({ until }: Remembered, now: number) => until > now - rememberMillis && until <= now + rememberMillis

/** A digest of the parts of the head that identify the caller and the route: they may contain an API key. */
const senderOf = ({ headers, method, url }: RequestHead): string | undefined => {
  if (headers["idempotency-key"] !== undefined) return undefined
  const [path, query] = url.split("?", 2)
  const tenant = headers["x-tenant-id"] ?? (query === undefined ? null : new URLSearchParams(query).get("tenant_id"))
  return hash(
    "sha256",
    JSON.stringify([method, path, tenant, headers["authorization"], headers["x-api-key"]]),
    "base64"
  )
}

export class LoadShedding extends Context.Service<
  LoadShedding,
  {
    /** The answer to the request if its sender is remembered. */
    readonly shed: (request: RequestHead) => Effect.Effect<HttpServerResponse.HttpServerResponse> | undefined
    /** Call this before refusing a submission of the tenant for a limit. Waits if the tenant had too many refusals. */
    readonly refused: (
      request: RequestHead,
      tenant: TenantId,
      refusal: Rejection["error"],
      /** Members that refusals of the route have in addition. */
      extra?: { readonly accepted: false; readonly queued_pdfs: 0 }
    ) => Effect.Effect<void, never, CurrentTenant>
    /** Call this when a submission was accepted. */
    readonly accepted: (request: RequestHead) => Effect.Effect<void>
  }
>()("sluice/http/edge/LoadShedding") {
  static readonly layer = Layer.effect(
    LoadShedding,
    Effect.gen(function* () {
      const clock = yield* Clock.Clock
      const senders = new Map<string, Remembered>()
      let refusals = new KeyedLimit<TenantId>(prompt)
      let second = 0

      const isFlooding = (tenant: TenantId, now: number) => {
        const current = Math.floor(now / 1000)
        if (current !== second) refusals = new KeyedLimit<TenantId>(prompt)
        second = current
        return refusals.take(tenant, 1) !== undefined
      }
      const remember = (sender: string, refusal: Omit<Remembered, "until">, now: number) => {
        for (const [other, known] of senders) if (other === sender || !isKnown(known, now)) senders.delete(other)
        if (senders.size < mostSenders) senders.set(sender, { ...refusal, until: now + rememberMillis })
      }

      return LoadShedding.of({
        shed: (request) => {
          const sender = senders.size === 0 ? undefined : senderOf(request)
          const known = sender === undefined ? undefined : senders.get(sender)
          if (sender === undefined || known === undefined) return undefined
          const now = clock.currentTimeMillisUnsafe()
          if (!isKnown(known, now)) senders.delete(sender)
          else if (known.until <= now) remember(sender, known, now)
          else
            return Effect.as(
              Effect.andThen(pause, Metric.update(Telemetry.documentsRefused.of(known.limit), 1)),
              known.response
            )
          // The sender has stopped, or this request is its probe.
          return undefined
        },
        refused: Effect.fnUntraced(function* (request, tenant, { message, retryAfter = 1, ...error }, extra) {
          const now = clock.currentTimeMillisUnsafe()
          const sender = senderOf(request)
          const known = sender === undefined ? undefined : senders.get(sender)
          if (!isFlooding(tenant, now) && (known === undefined || !isKnown(known, now))) return
          const { explicit } = yield* CurrentTenant
          const limit = limitOf(error.code)
          if (explicit && sender !== undefined && limit !== undefined && isForAll(limit)) {
            const problem = new TooManyRequests({ ...error, detail: message, retryAfter, ...extra })
            remember(sender, { limit, response: yield* problemResponse(problem) }, now)
          }
          yield* pause
        }),
        accepted: (request) =>
          Effect.sync(() => {
            const sender = senders.size === 0 ? undefined : senderOf(request)
            if (sender !== undefined) senders.delete(sender)
          })
      })
    })
  )
}

import { hash } from "node:crypto"
import { Clock, Context, Effect, Layer } from "effect"
import { HttpServerRespondable, HttpServerResponse } from "effect/http"
import type { LimitReached } from "../../actors/Ingestion.ts"
import type { TenantId } from "../../domain/Ids.ts"
import { CurrentTenant } from "../auth/CurrentTenant.ts"
import { TooManyRequests } from "../api/problems/Problems.ts"
import { limitOf, type Rejection } from "../upload/Rejection.ts"

/**
 * Even refusing thousands of requests a second delays the uploads of other tenants. So the refusals of one tenant beyond the
 * first few in a second are delayed, and the sender of a delayed one is remembered for a second by a digest of its request head.
 * Its further requests are refused by the head alone, before routing and before reading the body. After that second, one request
 * is let through as a probe; the others are refused for another second, unless the probe is accepted.
 *
 * Only senders whose request head names the tenant are remembered, and never a request with an idempotency key: it may be
 * entitled to the answer kept under that key.
 */

/** Refusals of one tenant per second that are answered at once: more than clients that obey Retry-After ever cause. */
const promptPerSecond = 20
const pause = "250 millis"

/** Milliseconds for which a sender is refused by its head. Room that becomes free in that time stays unused by it. */
const rememberMillis = 1000

/**
 * Whether the limit applies to every request alike. A byte limit does not: a smaller upload may fit where a larger one does not.
 * A rate limit does not either: a request within the rate must not be refused because earlier ones exceeded it.
 */
const isForAll = (limit: LimitReached["limit"]) => limit === "tenant_queue" || limit === "global_queue"

/** At most so many senders are remembered; no further one is until another is forgotten. */
const mostSenders = 1000

/** The head of a request, in the shape that node and the library share. */
export interface RequestHead {
  readonly method?: string | undefined
  readonly url?: string | undefined
  readonly headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
}

/** The answer to a request whose sender is remembered. */
export interface KnownRefusal {
  readonly route: string
  readonly limit: LimitReached["limit"]
  readonly response: HttpServerResponse.HttpServerResponse
}

interface Remembered extends KnownRefusal {
  readonly until: number
}

/** A digest of the parts of the head that identify the caller and the route: they may contain an API key. */
const senderOf = ({ headers, method, url = "" }: RequestHead): string | undefined => {
  if (headers["idempotency-key"] !== undefined) return undefined
  const [path, query] = url.split("?", 2)
  const tenant = headers["x-tenant-id"] ?? (query === undefined ? null : new URLSearchParams(query).get("tenant_id"))
  const key = [method, path, tenant, headers["authorization"], headers["x-api-key"]]
  return hash("sha256", JSON.stringify(key), "base64")
}

export class LoadShedding extends Context.Service<
  LoadShedding,
  {
    /** Call this before refusing a submission of the tenant for a limit. Waits if the tenant had too many refusals. */
    readonly refused: (
      request: RequestHead,
      tenant: TenantId,
      route: string,
      refusal: Rejection["error"],
      /** Members that refusals of the route have in addition. */
      extra?: { readonly accepted: false; readonly queued_pdfs: 0 }
    ) => Effect.Effect<void, never, CurrentTenant>
    /** Call this when a submission was accepted. */
    readonly accepted: (request: RequestHead) => Effect.Effect<void>
    /** The refusal for this request if its sender is remembered; to be sent after `pause`. */
    readonly known: (request: RequestHead) => KnownRefusal | undefined
    readonly pause: Effect.Effect<void>
  }
>()("sluice/http/edge/LoadShedding") {
  static readonly layer = Layer.effect(
    LoadShedding,
    Effect.gen(function* () {
      const clock = yield* Clock.Clock
      const senders = new Map<string, Remembered>()
      /** Refusals in the current second. */
      const refusals = new Map<TenantId, number>()
      let second = 0

      const isFlooding = (tenant: TenantId, now: number) => {
        const current = Math.floor(now / 1000)
        if (current !== second) refusals.clear()
        second = current
        const count = (refusals.get(tenant) ?? 0) + 1
        refusals.set(tenant, count)
        return count > promptPerSecond
      }

      const remember = (sender: string, refusal: Remembered, now: number) => {
        for (const [other, { until }] of senders) {
          if (until + rememberMillis > now && until <= now + rememberMillis) break
          senders.delete(other)
        }
        // Deleted first, so that the map stays in the order of `until`.
        senders.delete(sender)
        if (senders.size < mostSenders) senders.set(sender, refusal)
      }

      return LoadShedding.of({
        refused: Effect.fnUntraced(function* (request, tenant, route, { message, retryAfter = 1, ...error }, extra) {
          const now = clock.currentTimeMillisUnsafe()
          const sender = senderOf(request)
          const known = sender === undefined ? undefined : senders.get(sender)
          const isRemembered = known !== undefined && known.until + rememberMillis > now
          if (!isFlooding(tenant, now) && !isRemembered) return
          const { explicit } = yield* CurrentTenant
          const limit = limitOf(error.code)
          if (explicit && sender !== undefined && limit !== undefined && isForAll(limit)) {
            const problem = new TooManyRequests({ ...error, detail: message, retryAfter, ...extra })
            const answer = yield* HttpServerRespondable.toResponse(problem)
            const response = HttpServerResponse.setHeaders(answer, {
              "retry-after": String(retryAfter),
              "cache-control": "no-store"
            })
            remember(sender, { route, limit, response, until: now + rememberMillis }, now)
          }
          yield* Effect.sleep(pause)
        }),
        accepted: (request) =>
          Effect.sync(() => {
            const sender = senders.size === 0 ? undefined : senderOf(request)
            if (sender !== undefined) senders.delete(sender)
          }),
        known: (request) => {
          const sender = senders.size === 0 ? undefined : senderOf(request)
          const known = sender === undefined ? undefined : senders.get(sender)
          if (sender === undefined || known === undefined) return undefined
          const now = clock.currentTimeMillisUnsafe()
          if (known.until > now && known.until <= now + rememberMillis) return known
          // This request is the probe. If the flood is over, or the clock was set, the sender is forgotten.
          if (known.until <= now && known.until + rememberMillis > now)
            remember(sender, { ...known, until: now + rememberMillis }, now)
          else senders.delete(sender)
          return undefined
        },
        pause: Effect.sleep(pause)
      })
    })
  )
}

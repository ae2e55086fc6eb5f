import { hash } from "node:crypto"
import { Clock, Context, Effect, Layer } from "effect"
import { HttpServerRespondable, HttpServerResponse } from "effect/http"
import type { LimitReached } from "../../actors/Ingestion.ts"
import type { TenantId } from "../../domain/Ids.ts"
import { CurrentTenant } from "../auth/CurrentTenant.ts"
import { TooManyRequests } from "../api/problems/Problems.ts"
import { limitOf, type Refusal } from "../upload/Rejection.ts"

/**
 * Answering thousands of requests a second, even with no, is work that the uploads of others would wait for. So the refusals of
 * one tenant beyond a first few of a second are slowed down, and whoever sent one is known by the head of its request for a
 * second: what comes from there is refused again by the head alone, before it costs what a request costs. Then one request is
 * let through to see whether there is room; the others are refused for another second, unless it is accepted.
 *
 * Only requests whose head names the tenant are known again, and none with an idempotency key, which may have a right to the
 * answer that it was given before.
 */

/** Refusals of one tenant within a second that are answered at once: more than clients that obey ever cause. */
const promptPerSecond = 20
const pause = "250 millis"

/** Milliseconds for which a sender is refused by the head. Room that it gets meanwhile waits so long. */
const memory = 1000

/**
 * A smaller upload might get in where there is no room for the bytes of a larger one; and one that comes in time for the rate is
 * not to be refused for others that came too early.
 */
const isForAll = (limit: LimitReached["limit"]) => limit === "tenant_queue" || limit === "global_queue"

/** Beyond it nobody more is known until others are forgotten. */
const mostSenders = 1000

/** The head of a request, as node and the library both tell it. */
export interface RequestHead {
  readonly method?: string | undefined
  readonly url?: string | undefined
  readonly headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
}

/** The answer to a request that is known by its head. */
export interface KnownRefusal {
  readonly route: string
  readonly limit: LimitReached["limit"]
  readonly response: HttpServerResponse.HttpServerResponse
}

interface Known extends KnownRefusal {
  readonly until: number
}

/** A digest of all in the head that decides whose the request is: there may be a key in it. */
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
    /** To be called before a submission of the tenant is refused for a limit. Waits if there were too many of them. */
    readonly refused: (
      request: RequestHead,
      tenant: TenantId,
      route: string,
      refusal: Refusal["error"],
      /** What the route's refusals have beside. */
      extra?: { readonly accepted: false; readonly queued_pdfs: 0 }
    ) => Effect.Effect<void, never, CurrentTenant>
    /** To be called when one was accepted. */
    readonly accepted: (request: RequestHead) => Effect.Effect<void>
    /** How to refuse this request as those of the same sender before; after a pause. */
    readonly known: (request: RequestHead) => KnownRefusal | undefined
    readonly pause: Effect.Effect<void>
  }
>()("sluice/http/edge/LoadShedding") {
  static readonly layer = Layer.effect(
    LoadShedding,
    Effect.gen(function* () {
      const clock = yield* Clock.Clock
      const senders = new Map<string, Known>()
      /** Of the current second. */
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

      const know = (sender: string, refusal: Known, now: number) => {
        for (const [other, { until }] of senders) {
          if (until + memory > now && until <= now + memory) break
          senders.delete(other)
        }
        // Behind those who are forgotten earlier.
        senders.delete(sender)
        if (senders.size < mostSenders) senders.set(sender, refusal)
      }

      return LoadShedding.of({
        refused: Effect.fnUntraced(function* (request, tenant, route, { message, retryAfter = 1, ...error }, extra) {
          const now = clock.currentTimeMillisUnsafe()
          const sender = senderOf(request)
          const known = sender === undefined ? undefined : senders.get(sender)
          const goesOn = known !== undefined && known.until + memory > now
          if (!isFlooding(tenant, now) && !goesOn) return
          const { explicit } = yield* CurrentTenant
          const limit = limitOf(error.code)
          if (explicit && sender !== undefined && limit !== undefined && isForAll(limit)) {
            const problem = new TooManyRequests({ ...error, detail: message, retryAfter, ...extra })
            const answer = yield* HttpServerRespondable.toResponse(problem)
            const response = HttpServerResponse.setHeaders(answer, {
              "retry-after": String(retryAfter),
              "cache-control": "no-store"
            })
            know(sender, { route, limit, response, until: now + memory }, now)
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
          if (known.until > now && known.until <= now + memory) return known
          // This one is let through; if the flood is over, or the clock was set, the sender is nobody in particular.
          if (known.until <= now && known.until + memory > now) know(sender, { ...known, until: now + memory }, now)
          else senders.delete(sender)
          return undefined
        },
        pause: Effect.sleep(pause)
      })
    })
  )
}

import { timingSafeEqual } from "node:crypto"
import { Clock, Config, Context, Effect, Layer, Option, Redacted } from "effect"
import type { HttpServerRequest } from "effect/http"
import { ApiKeys } from "../../services/apiKeys/ApiKeys.ts"
import { AuthConfig, keyDigest } from "./AuthConfig.ts"
import { type Principal, keyRequired } from "./Principal.ts"
import { clientAddress, TrustedProxies } from "../edge/ClientAddress.ts"
import { dashboardPath } from "../answers/CacheableAnswers.ts"
import { unavailable } from "../api/problems/Failures.ts"
import { makeFailedAttempts } from "./FailedAttempts.ts"
import { type ServiceUnavailable, TooManyRequests, Unauthorized } from "../api/problems/Problems.ts"

/** Paths answered without a key, like the dashboard's files: their answers contain no data of any tenant. */
export const publicPaths: ReadonlySet<string> = new Set([
  "/",
  "/docs",
  "/openapi.json",
  "/health/live",
  "/health/ready"
])

/** The same answer for a key that never existed, one that was revoked, and one that is partly wrong. */
const keyUnknown = new Unauthorized({
  code: "KEY_UNKNOWN",
  detail: "the API key is not known",
  advice: "Ask the operator of this server for a key."
})

const tooMany = (seconds: number) =>
  new TooManyRequests({
    code: "TOO_MANY_ATTEMPTS",
    detail: "too many requests with unknown API keys came from this address",
    advice: "Try again after the time in Retry-After; a key that is known works meanwhile.",
    retryAfter: seconds
  })

export class Authentication extends Context.Service<
  Authentication,
  {
    readonly authenticate: (
      request: HttpServerRequest.HttpServerRequest
    ) => Effect.Effect<Principal, Unauthorized | TooManyRequests | ServiceUnavailable>
  }
>()("sluice/http/auth/Authentication") {}

const presentedBy = ({ headers }: HttpServerRequest.HttpServerRequest): Redacted.Redacted | undefined => {
  const bearer = /^bearer +(\S+) *$/i.exec(headers["authorization"] ?? "")?.[1]
  const text = bearer ?? headers["x-api-key"]
  return text === undefined || text === "" ? undefined : Redacted.make(text)
}

/** Compares the path as it was sent: another spelling of a public path does not count as public. */
const isPublic = ({ method, url }: HttpServerRequest.HttpServerRequest): boolean => {
  if (method !== "GET" && method !== "HEAD") return false
  const path = url.split(/[?#]/, 1)[0] ?? ""
  return publicPaths.has(path) || (path.startsWith(dashboardPath) && !path.includes("/", dashboardPath.length))
}

/**
 * A valid key is never refused because of wrong keys from the same address, which may be a proxy's: every key is checked first,
 * and only failures are counted and delayed.
 */
const makeKeys = Effect.fnUntraced(function* (adminKey: AuthConfig["adminKey"]) {
  const keys = yield* ApiKeys
  const proxies = yield* TrustedProxies
  const attempts = makeFailedAttempts()
  const admin = adminKey === undefined ? undefined : Redacted.value(adminKey)

  return Authentication.of({
    authenticate: Effect.fnUntraced(function* (request) {
      if (isPublic(request)) return { _tag: "Anonymous" }
      const presented = presentedBy(request)
      if (presented === undefined) return yield* keyRequired
      const holder = Option.getOrUndefined(yield* Effect.catch(keys.verify(presented), unavailable))
      if (holder !== undefined) {
        const { id, revoked, tenantId } = holder
        return { _tag: "Tenant", id: tenantId, key: id, revoked }
      }
      if (admin !== undefined && timingSafeEqual(keyDigest(Redacted.value(presented)), admin)) return { _tag: "Admin" }
      const address = clientAddress(request, proxies)
      const now = yield* Clock.currentTimeMillis
      const seconds = attempts.wait(address, now)
      if (seconds > 0) return yield* tooMany(seconds)
      attempts.count(address, now)
      yield* Effect.logInfo("an unknown API key was refused").pipe(Effect.annotateLogs("client.address", address))
      return yield* keyUnknown
    })
  })
})

/** Requires a key of every caller. `TRUSTED_PROXIES` decides how the address of a request is determined. */
export const layerKeys = (adminKey?: AuthConfig["adminKey"]) => Layer.effect(Authentication, makeKeys(adminKey))

/** Requires no key. Only for a server on the loopback. */
export const layerOff = Layer.succeed(Authentication, { authenticate: () => Effect.succeed({ _tag: "Anyone" }) })

/** Configured by `AuthConfig`. `TRUSTED_PROXIES` must be valid even when authentication is off and does not use it. */
export const layer = Layer.unwrap(
  Effect.map(
    Config.all({ auth: AuthConfig, proxies: TrustedProxies }),
    ({ auth: { adminKey, mode } }): Layer.Layer<Authentication, Config.ConfigError, ApiKeys> =>
      mode === "keys" ? layerKeys(adminKey) : layerOff
  )
)

import { hash, timingSafeEqual } from "node:crypto"
import { Config, Effect, Layer, Redacted, Schema } from "effect"
import { Authentication } from "./Authentication.ts"

// A scraper should not hold the administrator's key: with METRICS_TOKEN it may read /metrics, and nothing else.

const leastToken = 16

/** The value itself must not get into the message. */
const Token = Schema.String.check(
  Schema.makeFilter(
    (text: string) =>
      text === "" ||
      (/^[\x21-\x7e]+$/.test(text) && text.length >= leastToken) ||
      `at least ${leastToken} visible ASCII characters without spaces; take them from a random source`
  )
)

/** `METRICS_TOKEN`. */
export const MetricsToken = Config.schema(Token, "METRICS_TOKEN").pipe(
  // A compose file passes an empty value for an unset variable.
  Config.map((text) => (text === "" ? undefined : Redacted.make(text, { label: "METRICS_TOKEN" }))),
  Config.withDefault(undefined)
)

const digest = (text: string) => hash("sha256", text, "buffer")

/** Accepts the metrics token in addition to the given authentication. */
export const layer = Layer.effect(
  Authentication,
  Effect.gen(function* () {
    const { authenticate } = yield* Authentication
    const token = yield* MetricsToken
    if (token === undefined) return { authenticate }
    const expected = digest(Redacted.value(token))
    return Authentication.of({
      authenticate: (request) => {
        const presented = /^bearer +(\S+) *$/i.exec(request.headers["authorization"] ?? "")?.[1]
        const opens =
          presented !== undefined &&
          (request.method === "GET" || request.method === "HEAD") &&
          request.url.split("?", 1)[0] === "/metrics" &&
          timingSafeEqual(digest(presented), expected)
        return opens ? Effect.succeed({ _tag: "Admin" }) : authenticate(request)
      }
    })
  })
)

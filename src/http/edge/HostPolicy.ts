import { Context, Effect, Layer } from "effect"
import { AuthConfig } from "../auth/AuthConfig.ts"
import { HttpConfig, isLoopback } from "./HttpConfig.ts"

/**
 * Which Host headers are answered. A name that somebody else's name server points at this machine would make a page of
 * that name one of this origin to a browser (DNS rebinding), which could then read all that needs no credential.
 */
export const HostPolicy = Context.Reference<{ readonly allows: (host: string | undefined) => boolean }>(
  "sluice/http/edge/HostPolicy",
  { defaultValue: () => ({ allows: () => true }) }
)

const nameAndPort = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/

/**
 * The loopback, and what the configuration names. Where every request needs a key any name will do, unless some are named: a
 * browser has no key that it would send by itself.
 */
export const layer = Layer.effect(
  HostPolicy,
  Effect.gen(function* () {
    const { mode } = yield* AuthConfig
    const { allowedHosts } = yield* HttpConfig
    if (mode === "keys" && allowedHosts.length === 0) return { allows: () => true }
    return {
      allows: (host: string | undefined) => {
        const match = nameAndPort.exec(host?.toLowerCase() ?? "")
        const name = match?.[1] ?? match?.[2] ?? ""
        return isLoopback(name) || allowedHosts.includes(name)
      }
    }
  })
)

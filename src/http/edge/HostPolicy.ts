import { Context, Effect, Layer } from "effect"
import { AuthConfig } from "../auth/AuthConfig.ts"
import { HttpConfig, isLoopback } from "./HttpConfig.ts"

/**
 * The Host headers that are answered. If a foreign domain resolves to this machine (DNS rebinding), browsers treat a page of
 * that domain as same-origin with this server; the page could then read everything that needs no credential.
 */
export const HostPolicy = Context.Reference<{ readonly allows: (host: string | undefined) => boolean }>(
  "sluice/http/edge/HostPolicy",
  { defaultValue: () => ({ allows: () => true }) }
)

const nameAndPort = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/

/**
 * Allows the loopback and the configured names. Where every request needs a key and no names are configured, any name is
 * allowed: a browser does not send a key by itself.
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

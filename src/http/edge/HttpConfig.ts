import { Config, Schema } from "effect"
import { AuthConfig } from "../auth/AuthConfig.ts"

/** A name or an address of this machine, without brackets. */
export const isLoopback = (host: string): boolean => /^(localhost|::1|127(\.\d{1,3}){3})$/.test(host)

const noNames: Array<string> = []

/** A server without authentication must not be reachable from other machines: any caller could act as any tenant. */
const hostFor = ({ mode }: AuthConfig) =>
  Config.schema(
    Schema.String.check(
      Schema.makeFilter(
        (host: string) =>
          mode === "keys" ||
          isLoopback(host) ||
          "AUTH is off, so any client that reaches this address could act as any tenant: turn API keys on (ADMIN_KEY of at least 16 " +
            "characters, and no AUTH=off), or listen on this machine only (HOST=127.0.0.1)"
      )
    ),
    "HOST"
  )

/** Where the server listens. */
export const HttpConfig = Config.all({
  host: AuthConfig.pipe(Config.flatMap(hostFor), Config.withDefault("127.0.0.1")),
  /** 0 takes any free port. */
  port: Config.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 65535 })), "PORT").pipe(
    Config.withDefault(3000)
  ),
  /** Whether other processes of the same user may listen there, too: the system then deals out the connections. */
  reusePort: Config.Literals(["on", "off"], "HTTP_REUSE_PORT").pipe(Config.withDefault("off")),
  /** Host names that are answered besides the loopback's, for a proxy in front that forwards the original Host header. */
  allowedHosts: Config.schema(
    Schema.String.check(
      Schema.isPattern(/^\s*[a-z0-9.-]+\s*(,\s*[a-z0-9.-]+\s*)*$/i, {
        message: "host names without scheme or port, separated by commas"
      })
    ),
    "ALLOWED_HOSTS"
  ).pipe(
    Config.map((text) => text.split(",").map((name) => name.trim().toLowerCase())),
    Config.withDefault(noNames)
  )
})
export type HttpConfig = Config.Success<typeof HttpConfig>

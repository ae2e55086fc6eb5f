import { Config, Schema } from "effect"

/** A name or an address of this machine, without brackets. */
export const isLoopback = (host: string): boolean => /^(localhost|::1|127(\.\d{1,3}){3})$/.test(host)

const noNames: Array<string> = []

/**
 * Where the server listens. Nothing but the loopback is allowed: there is no authentication, so whoever reaches the port
 * may claim to be any tenant.
 */
export const HttpConfig = Config.all({
  host: Config.schema(
    Schema.String.check(
      Schema.makeFilter(
        (host: string) =>
          isLoopback(host) ||
          "a loopback address (127.0.0.1, ::1, localhost): there is no authentication yet, so the server must not be " +
            "reachable from other machines. Put a proxy that authenticates in front of it instead"
      )
    ),
    "HOST"
  ).pipe(Config.withDefault("127.0.0.1")),
  /** 0 takes any free port. */
  port: Config.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 65535 })), "PORT").pipe(
    Config.withDefault(3000)
  ),
  /** Names in the Host header, besides the loopback's, that are answered: of a proxy in front that keeps its own. */
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

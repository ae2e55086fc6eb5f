import { Config, Schema } from "effect"

const loopback = /^(localhost|::1|127(\.\d{1,3}){3})$/

/**
 * Where the server listens. Nothing but the loopback is allowed: there is no authentication, so whoever reaches the port
 * may claim to be any tenant.
 */
export const HttpConfig = Config.all({
  host: Config.schema(
    Schema.String.check(
      Schema.makeFilter(
        (host: string) =>
          loopback.test(host) ||
          "a loopback address (127.0.0.1, ::1, localhost): there is no authentication yet, so the server must not be " +
            "reachable from other machines. Put a proxy that authenticates in front of it instead"
      )
    ),
    "HOST"
  ).pipe(Config.withDefault("127.0.0.1")),
  /** 0 takes any free port. */
  port: Config.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 65535 })), "PORT").pipe(
    Config.withDefault(3000)
  )
})
export type HttpConfig = Config.Success<typeof HttpConfig>

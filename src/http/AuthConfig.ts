import { Config, Redacted, Schema } from "effect"

/** Shorter ones can be guessed. */
const leastAdminKey = 16

/** The value itself must not get into the message. */
const AdminKey = Schema.String.check(
  Schema.makeFilter((text: string) =>
    /^[\x21-\x7e]+$/.test(text) && text.length >= leastAdminKey
      ? true
      : `at least ${leastAdminKey} visible ASCII characters without spaces; take them from a random source`
  )
)

/** Whether callers have to prove who they are, and with what the administrator does. */
export const AuthConfig = Config.all({
  adminKey: Config.schema(AdminKey, "ADMIN_KEY").pipe(
    Config.map((text) => Redacted.make(text, { label: "ADMIN_KEY" })),
    Config.withDefault(undefined)
  ),
  mode: Config.Literals(["keys", "off"], "AUTH").pipe(Config.withDefault(undefined))
}).pipe(
  Config.map(({ adminKey, mode }) => ({ adminKey, mode: mode ?? (adminKey === undefined ? "off" : "keys") }) as const)
)
export type AuthConfig = Config.Success<typeof AuthConfig>

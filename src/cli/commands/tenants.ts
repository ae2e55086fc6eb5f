import { Effect, Option, Result, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { SluiceClient, TenantId } from "../../client.ts"
import { TenantState } from "../../domain/tenant/TenantState.ts"
import { TenantChange } from "../../http/api/Tenants.ts"
import { connected, connection } from "../Connection.ts"
import { tenantLines } from "../Describe.ts"
import { reported, WrongUsage } from "../CommandFailure.ts"
import { show } from "../Json.ts"

const fields = Object.keys(TenantChange.fields)
const decodeChange = Schema.decodeUnknownResult(TenantChange)
const decodeJson = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Unknown))

/** `weight=2,rate=default` */
export const parseChange = (text: string): Result.Result<typeof TenantChange.Type, string> => {
  const change: Record<string, unknown> = {}
  for (const part of text.split(",")) {
    const [name = "", value = ""] = part.split("=", 2).map((each) => each.trim())
    if (!fields.includes(name)) return Result.fail(`--set: ${name} is none of ${fields.join(", ")}`)
    change[name] = value === "default" ? null : Option.getOrElse(decodeJson(value), () => value)
  }
  return Result.mapError(decodeChange(change), ({ message }) => `--set: ${message.replace(/\s*\n\s*/g, " ")}`)
}

export const tenants = Command.make(
  "tenants",
  {
    name: Argument.String("name").pipe(
      Argument.withDescription("The tenant; the one of --tenant when absent"),
      Argument.withSchema(TenantId),
      Argument.optional
    ),
    set: Flag.String("set").pipe(
      Flag.withMetavar("weight=2,…"),
      Flag.withDescription(`Change ${fields.join(", ")}; \`default\` takes a change back`),
      Flag.optional
    ),
    ...connection
  },
  Effect.fnUntraced(
    function* ({ name, set, tenant }) {
      const sluice = yield* SluiceClient
      if (Option.isNone(set))
        return yield* show(TenantState, yield* sluice.tenant(Option.getOrUndefined(name)), tenantLines)
      const subject = Option.getOrUndefined(Option.orElse(name, () => tenant))
      if (subject === undefined) return yield* new WrongUsage({ message: "--set needs the name of the tenant" })
      const change = yield* Effect.mapError(
        Effect.fromResult(parseChange(set.value)),
        (message) => new WrongUsage({ message })
      )
      return yield* show(TenantState, yield* sluice.changeTenant(subject, change), tenantLines)
    },
    connected,
    reported
  )
).pipe(
  Command.withDescription(
    "Shows what a tenant may have, has and gets. --set changes what it may have from now on, also after a restart of the server."
  ),
  Command.withExamples([
    { command: "sluice tenants acme" },
    { command: "sluice tenants acme --set weight=2,documents=4,rate=default" },
    { command: "sluice tenants acme --set paused=true" }
  ])
)

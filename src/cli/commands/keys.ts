import { DateTime, Effect, Option, Schema } from "effect"
import { Argument, Command } from "effect/cli"
import { SluiceClient, type TenantId } from "../../client.ts"
import { type ApiKey, ApiKeyId, ApiKeyName } from "../../domain/tenant/ApiKey.ts"
import { IssuedKeyView, KeyList } from "../../http/api/Keys.ts"
import { connected, connection } from "../Connection.ts"
import { reported, WrongUsage } from "../CommandFailure.ts"
import { show } from "../Json.ts"
import { printable, table } from "../Text.ts"
import { withoutSubcommand } from "./withoutSubcommand.ts"

const named = (tenant: Option.Option<TenantId>) =>
  Option.match(tenant, {
    onNone: () => Effect.fail(new WrongUsage({ message: "--tenant says whose keys are meant" })),
    onSome: Effect.succeed
  })

const issuedLines = ({ createdAt, id, key, name, tenantId }: typeof IssuedKeyView.Type) =>
  table([
    ["key", key],
    ["id", id],
    ["name", name],
    ["tenant", tenantId],
    ["created", DateTime.formatIso(createdAt)]
  ])

const lineOf = ({ id, lastUsedAt, name }: ApiKey) =>
  `${id}  ${lastUsedAt === undefined ? "never used" : `last used ${DateTime.formatIso(lastUsedAt)}`}  ${printable(name)}`

const create = Command.make(
  "create",
  {
    name: Argument.String("name").pipe(
      Argument.withDescription("What the key is for"),
      Argument.withSchema(ApiKeyName)
    ),
    ...connection
  },
  Effect.fnUntraced(
    function* ({ name, tenant }) {
      const sluice = yield* SluiceClient
      yield* show(IssuedKeyView, yield* sluice.createKey(yield* named(tenant), name), issuedLines)
    },
    connected,
    reported
  )
).pipe(Command.withShortDescription("Make a key and print it; it cannot be shown again"))

const list = Command.make(
  "list",
  connection,
  Effect.fnUntraced(
    function* ({ tenant }) {
      const sluice = yield* SluiceClient
      const of = yield* named(tenant)
      const lines = ({ keys }: typeof KeyList.Type) => (keys.length === 0 ? [`${of} has no keys`] : keys.map(lineOf))
      yield* show(KeyList, { keys: yield* sluice.keys(of) }, lines)
    },
    connected,
    reported
  )
).pipe(Command.withShortDescription("List the valid keys, and when each was used last"))

const Revoked = Schema.Struct({ revoked: ApiKeyId })

const revoke = Command.make(
  "revoke",
  {
    id: Argument.String("id").pipe(Argument.withDescription("The key's id"), Argument.withSchema(ApiKeyId)),
    ...connection
  },
  Effect.fnUntraced(
    function* ({ id, tenant }) {
      const sluice = yield* SluiceClient
      yield* sluice.revokeKey(yield* named(tenant), id)
      yield* show(Revoked, { revoked: id }, ({ revoked }) => [`${revoked} is revoked`])
    },
    connected,
    reported
  )
).pipe(Command.withShortDescription("Revoke a key"))

export const keys = Command.make("keys", {}, withoutSubcommand("keys", ["create", "list", "revoke"])).pipe(
  Command.withDescription(
    "Manages the API keys of the tenant that --tenant names. A server that requires API keys accepts only the " +
      "administrator's for this, from SLUICE_API_KEY. To rotate a key, make a new one, and revoke the old one when it " +
      "is no longer used."
  ),
  Command.withSubcommands([create, list, revoke]),
  Command.withExamples([
    { command: "sluice keys create 'nightly import' --tenant acme" },
    { command: "sluice keys list --tenant acme" },
    { command: "sluice keys revoke 36a4c438eb2aa859 --tenant acme" }
  ])
)

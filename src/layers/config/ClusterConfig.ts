/** Whether this process is one of several that share their work, and how they find and trust each other. */
import { existsSync, readFileSync } from "node:fs"
import { Config, Effect, Redacted, Schema } from "effect"
import { type Role, RoleConfig } from "../../services/config/RoleConfig.ts"
import { DatabaseConfig } from "./Config.ts"

/** The settings of the cluster cannot be used, or the cluster does not take this process, and what to do about it. */
export class ClusterUnusable extends Schema.TaggedError<ClusterUnusable>()("ClusterUnusable", {
  detail: Schema.String
}) {
  override get message() {
    return `CLUSTER: ${this.detail}`
  }
}

/** Where others reach the runner of this process. */
export interface PeerAddress {
  readonly host: string
  readonly port: number
}

export interface ClusterSettings {
  readonly url: Redacted.Redacted
  readonly address: PeerAddress
  /** The address of this machine that the port is opened at. */
  readonly listenHost: string
  /** What proves to other runners that this one belongs to them. */
  readonly token: Redacted.Redacted
  readonly role: Role
  /** How many parts the tenants are divided into. */
  readonly shards: number
}

/** A token that can be guessed would open the port to everyone. */
const shortestToken = 32

/** Locks are taken in one query, which has no more columns. */
const mostShards = 1_664

const raw = Config.all({
  cluster: Config.Literals(["on", "off"], "CLUSTER").pipe(Config.withDefault("off")),
  host: Config.NonEmptyString("CLUSTER_HOST").pipe(Config.withDefault("127.0.0.1")),
  port: Config.Port("CLUSTER_PORT").pipe(Config.withDefault(34_431)),
  listenHost: Config.NonEmptyString("CLUSTER_LISTEN_HOST").pipe(Config.withDefault(undefined)),
  token: Config.Redacted("CLUSTER_TOKEN").pipe(Config.withDefault(undefined)),
  tokenFile: Config.NonEmptyString("CLUSTER_TOKEN_FILE").pipe(Config.withDefault(undefined)),
  shards: Config.schema(Schema.Int.check(Schema.isBetween({ minimum: 8, maximum: mostShards })), "CLUSTER_SHARDS").pipe(
    Config.withDefault(96)
  )
})

const refuse = (detail: string) => Effect.fail(new ClusterUnusable({ detail }))

const tokenOf = Effect.fnUntraced(function* (own: Redacted.Redacted | undefined, file: string | undefined) {
  if (own === undefined && file === undefined) {
    return yield* refuse(
      "the port between runners is not opened without a token; set CLUSTER_TOKEN or CLUSTER_TOKEN_FILE to the same secret on all of them (openssl rand -hex 32)"
    )
  }
  if (file !== undefined && !existsSync(file))
    return yield* refuse(`the file ${file} of CLUSTER_TOKEN_FILE does not exist`)
  const read = file === undefined ? Effect.succeed("") : Effect.try(() => readFileSync(file, "utf8").trim())
  const content = yield* Effect.catch(read, () => refuse(`the file ${file} of CLUSTER_TOKEN_FILE cannot be read`))
  const token = own ?? Redacted.make(content)
  if (Redacted.value(token).length < shortestToken) {
    return yield* refuse(`the token needs at least ${shortestToken} characters (openssl rand -hex 32)`)
  }
  return token
})

/** Undefined when this process works alone. */
export const clusterSettings = Effect.gen(function* () {
  const { cluster, host, listenHost = host, port, shards, token, tokenFile } = yield* raw
  const role = yield* RoleConfig
  if (cluster === "off") {
    if (role !== "all") return yield* refuse(`ROLE=${role} needs other processes that do the rest; set CLUSTER=on`)
    return undefined
  }
  const { url } = yield* DatabaseConfig
  if (url === undefined) {
    return yield* refuse("on needs a Postgres database that all runners share; set DATABASE_URL")
  }
  const settings: ClusterSettings = {
    url,
    address: { host, port },
    listenHost,
    token: yield* tokenOf(token, tokenFile),
    shards,
    role
  }
  return settings
})

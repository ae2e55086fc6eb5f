/**
 * The table of processes that belong to the cluster. It keeps out those that would not agree with the others which process has
 * which tenant, and shows what each has. Which tenants a process has is decided elsewhere, by locks (`ClusterSharding.ts`).
 */
import { hostname } from "node:os"
import { Context, Duration, Effect, Layer, Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import { isSqlError } from "effect/sql/SqlError"
import * as Version from "effect/Version"
import { untraced } from "../../observability/Untraced.ts"
import { roles } from "../../services/config/RoleConfig.ts"
import { StoreUnavailable } from "../../services/store/StoreErrors.ts"
import { ClusterUnusable, type ClusterSettings } from "../config/ClusterConfig.ts"
import { version } from "../config/Version.ts"
import { ClusterDatabase } from "./ClusterDatabase.ts"
import { peerKey } from "./PeerSockets.ts"
import { protocolVersion } from "./Tenant.ts"

/** A process that says nothing for so long is not counted any more, in seconds. */
const silence = 6

/** How long a process waits until it is let in. Those that start at the same time take a few milliseconds each. */
const joinPatience = Duration.seconds(30)

const Member = Schema.Struct({
  name: Schema.String,
  machine: Schema.String,
  role: Schema.Literals(roles),
  version: Schema.String,
  protocol: Schema.Int,
  effect: Schema.String,
  shards: Schema.Int,
  token: Schema.String,
  state: Schema.NullOr(Schema.String)
})
export type Member = typeof Member.Type
const decodeRows = Schema.decodeUnknownEffect(Schema.Array(Member))

/** The members that are alive, each with what it said last, as text. */
export class Membership extends Context.Service<
  Membership,
  {
    readonly exchange: (state: string) => Effect.Effect<ReadonlyArray<Member>, StoreUnavailable>
  }
>()("sluice/layers/cluster/Membership") {}

/** Why the two cannot be members of one cluster. */
const disagreement = (own: Member, other: Member): string | undefined => {
  if (other.token !== own.token) return `CLUSTER_TOKEN is not the one of ${other.name}; give all runners the same`
  if (other.shards !== own.shards) {
    return `CLUSTER_SHARDS is ${own.shards}, but ${other.shards} at ${other.name}; to change it, stop all runners first`
  }
  if (other.effect !== own.effect || other.protocol !== own.protocol) {
    return `this is Sluice ${own.version} on effect ${own.effect}, but ${other.name} is Sluice ${other.version} on effect ${other.effect}, which shares tenants in another way; stop all runners, then start this release`
  }
  if (other.name === own.name && other.machine !== own.machine) {
    return `another machine (${other.machine}) has the address ${own.name}; set CLUSTER_HOST to one by which others reach this machine`
  }
  return undefined
}

const make = Effect.fnUntraced(function* (settings: ClusterSettings, patience: Duration.Duration) {
  const { prefix, sql } = yield* ClusterDatabase
  const random = yield* SecureRandom.SecureRandom
  const id = yield* random.uuidV4()
  const table = sql(`${prefix}_members`)
  const { address, role, shards, token } = settings
  const own: Member = {
    // A process that only serves the interface is not reached by others.
    name: role === "api" ? `${hostname()} ${id.slice(0, 8)}` : `${address.host}:${address.port}`,
    machine: hostname(),
    role,
    version: version(),
    protocol: protocolVersion,
    effect: Version.getCurrentVersion(),
    shards,
    token: peerKey(token).id,
    state: null
  }
  const columns = sql`name, machine, role, version, protocol, effect, shards, token, state`

  const create = Effect.gen(function* () {
    const found = yield* sql`SELECT to_regclass(${`${prefix}_members`}) IS NOT NULL AS there`
    if (found[0]?.["there"] === true) return
    // Unlogged: it holds nothing that is worth a write to the log.
    yield* sql`CREATE UNLOGGED TABLE IF NOT EXISTS ${table} (
      id text PRIMARY KEY, name text NOT NULL, machine text NOT NULL, role text NOT NULL, version text NOT NULL, protocol int NOT NULL,
      effect text NOT NULL, shards int NOT NULL, token text NOT NULL, state text, seen_at timestamptz NOT NULL)`
  })
  const others = Effect.flatMap(
    sql`SELECT ${columns} FROM ${table} WHERE id <> ${id} AND seen_at > now() - ${silence} * interval '1 second' ORDER BY name`,
    decodeRows
  )
  const enter = (state: string | null) => sql`
    INSERT INTO ${table} (id, ${columns}, seen_at)
    VALUES (${id}, ${own.name}, ${own.machine}, ${own.role}, ${own.version}, ${own.protocol}, ${own.effect}, ${own.shards}, ${own.token},
      ${state}::text, now())
    ON CONFLICT (id) DO UPDATE SET state = excluded.state, seen_at = excluded.seen_at`

  const join = Effect.gen(function* () {
    // One at a time, so that of two that disagree one sees the other.
    yield* sql`SELECT 1 AS locked FROM pg_advisory_xact_lock(hashtext(${`${prefix} members`}))`
    yield* create
    // Of an earlier process at the same place, which has ended: only one can have the port.
    yield* sql`DELETE FROM ${table} WHERE (name = ${own.name} AND machine = ${own.machine}) OR seen_at < now() - interval '1 day'`
    for (const other of yield* others) {
      const detail = disagreement(own, other)
      if (detail !== undefined) return yield* new ClusterUnusable({ detail })
    }
    yield* enter(null)
  })

  const joined = sql.withTransaction(join).pipe(
    Effect.timeoutOrElse({
      duration: patience,
      orElse: () => {
        const lock = `the table ${prefix}_members or the advisory lock hashtext('${prefix} members')`
        const detail = `it was not joined within ${Duration.format(patience)}: another session of the database holds ${lock}; find it in pg_locks and end it, or start again`
        return Effect.fail(new ClusterUnusable({ detail }))
      }
    }),
    // Also while it is being acquired: a lock may never come.
    Effect.interruptible
  )
  yield* Effect.acquireRelease(joined, () =>
    // A process stops though the database does not answer: the others leave it out when it has been silent.
    sql`DELETE FROM ${table} WHERE id = ${id}`.pipe(Effect.timeout("2 seconds"), Effect.ignore)
  )
  return Membership.of({
    exchange: (state) =>
      Effect.andThen(
        enter(state),
        Effect.map(others, (rows): ReadonlyArray<Member> => [{ ...own, state }, ...rows])
      ).pipe(
        Effect.mapError((cause) => new StoreUnavailable({ operation: "look for other runners", cause })),
        untraced
      )
  })
})

export const layer = (settings: ClusterSettings, patience: Duration.Input = joinPatience) =>
  Layer.effect(
    Membership,
    Effect.mapError(make(settings, Duration.fromInputUnsafe(patience)), (error) =>
      error instanceof ClusterUnusable
        ? error
        : new ClusterUnusable({
            detail: `its tables cannot be used (${isSqlError(error) ? error.message : String(error)})`
          })
    )
  ).pipe(Layer.provide(SecureRandom.layerWebCrypto))

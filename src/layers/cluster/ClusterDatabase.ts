/** Connections of the cluster's own, so that page writes of the store never delay the renewal of a lock. */
import * as PgClient from "@effect/sql-pg/PgClient"
import { Context, Duration, Effect, Layer, type Redacted } from "effect"
import * as Reactivity from "effect/reactivity/Reactivity"
import { SqlClient } from "effect/sql/SqlClient"
import { isSqlError } from "effect/sql/SqlError"
import { ClusterUnusable } from "../config/ClusterConfig.ts"

/** One is kept for the locks as long as the process lives. */
const connections = 3

/** The client of the cluster's tables, and what their names begin with. */
export class ClusterDatabase extends Context.Service<
  ClusterDatabase,
  { readonly sql: PgClient.PgClient; readonly prefix: string }
>()("sluice/layers/cluster/ClusterDatabase") {}

/**
 * Locks are numbers that hold in the whole database, and come from the prefix: clusters in several schemas of one database must
 * not have the same.
 */
const prefixOf = (schema: string): string => (schema === "public" ? "sluice" : `sluice_${schema}`)

const make = Effect.fnUntraced(
  function* (url: Redacted.Redacted) {
    const sql = yield* PgClient.make({
      url,
      maxConnections: connections,
      connectTimeout: Duration.seconds(3),
      applicationName: "sluice cluster"
    })
    const [row] = yield* sql<{ schema: string }>`SELECT current_schema() AS schema`
    return { sql, prefix: prefixOf(row?.schema ?? "public") }
  },
  Effect.mapError((error) =>
    isSqlError(error) ? new ClusterUnusable({ detail: `the database cannot be used (${error.message})` }) : error
  )
)

export const layer = (url: Redacted.Redacted): Layer.Layer<ClusterDatabase | SqlClient, ClusterUnusable> =>
  Layer.effectContext(
    Effect.map(make(url), (database) =>
      Context.make(ClusterDatabase, database).pipe(Context.add(SqlClient, database.sql))
    )
  ).pipe(Layer.provide(Reactivity.layer))

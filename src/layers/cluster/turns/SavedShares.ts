/** The virtual times of tenants, kept for the next actor that gives turns. A crash of the database may lose the last ones. */
import { Effect } from "effect"
import type { Standing } from "../../../actors/scheduling/FairShares.ts"
import { TenantId } from "../../../domain/Ids.ts"
import { ClusterDatabase } from "../ClusterDatabase.ts"

interface Row {
  readonly name: string
  readonly virtual_time: number
}

/** Names of the rows that are no tenant's. Those of tenants begin with a colon. */
const floorName = "floor"
const dueName = "due"

const rowsOf = ({ due, floor, virtualTimes }: Standing): ReadonlyArray<readonly [string, number]> => [
  [floorName, floor],
  [dueName, due],
  // The others are where everybody begins.
  ...virtualTimes.flatMap(({ tenant, virtualTime }) =>
    virtualTime > floor ? [[`:${tenant}`, virtualTime] as const] : []
  )
]

const standingOf = (rows: ReadonlyArray<Row>): Standing => {
  const timeOf = (name: string) => rows.find((row) => row.name === name)?.virtual_time ?? 0
  const virtualTimes = rows
    .filter(({ name }) => name.startsWith(":"))
    .map((row) => ({ tenant: TenantId.make(row.name.slice(1)), virtualTime: row.virtual_time }))
  return { floor: timeOf(floorName), due: timeOf(dueName), virtualTimes }
}

export const makeSavedShares = Effect.gen(function* () {
  const { prefix, sql } = yield* ClusterDatabase
  const table = sql(`${prefix}_turn_shares`)

  const read = Effect.gen(function* () {
    yield* sql`CREATE TABLE IF NOT EXISTS ${table} (name text PRIMARY KEY, virtual_time double precision NOT NULL)`
    // What was owed has been paid long ago.
    yield* sql`DELETE FROM ${table} WHERE name LIKE ':%' AND virtual_time <= (SELECT virtual_time FROM ${table} WHERE name = ${floorName})`
    return standingOf(yield* sql<Row>`SELECT name, virtual_time FROM ${table}`)
  })

  /** Writes what has changed since the last time. */
  const makeSave = () => {
    const saved = new Map<string, number>()
    return (standing: Standing) =>
      Effect.suspend(() => {
        const changed = rowsOf(standing).filter(([name, time]) => saved.get(name) !== time)
        if (changed.length === 0) return Effect.void
        const names = changed.map(([name]) => name)
        const times = changed.map(([, time]) => time)
        // In one statement, which does not wait for the disk.
        return sql`
          WITH quick AS (SELECT set_config('synchronous_commit', 'off', true))
          INSERT INTO ${table} (name, virtual_time)
          SELECT each.name, each.virtual_time FROM quick, unnest(${names}::text[], ${times}::double precision[]) each (name, virtual_time)
          ON CONFLICT (name) DO UPDATE SET virtual_time = excluded.virtual_time`.pipe(
          Effect.map(() => {
            // Bounded: tenants that are not named any more owe nothing.
            saved.clear()
            for (const [name, time] of rowsOf(standing)) saved.set(name, time)
          }),
          Effect.timeout("2 seconds")
        )
      })
  }

  return { read, makeSave }
})

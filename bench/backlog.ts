// What waits must cost nothing: the service starts on a thousand and on a million queued documents.
import { DatabaseSync } from "node:sqlite"
import { join } from "node:path"
import { Context, Duration, Effect, Layer } from "effect"
import { RunnerId, TenantId } from "../src/domain/Ids.ts"
import * as SqliteStore from "../src/layers/sqlite/SqliteStore.ts"
import { DocumentQueue } from "../src/services/store/DocumentQueue.ts"
import type { Report } from "./material.ts"
import { temporaryFolder } from "./peers/processes.ts"
import type { Found } from "./result.ts"
import { type Environment, memoryOf, startService } from "./speed/service.ts"
import { percentile } from "./statistics.ts"

const sizes = [1_000, 1_000_000]
const tenants = 100
const claims = 500
/** Until memory is looked at. */
const settling = "4 seconds"

const databaseOf = (folder: string) => join(folder, "sluice.db")

const openQueue = (folder: string) =>
  Effect.map(Layer.build(SqliteStore.layer({ filename: databaseOf(folder) })), (context) =>
    Context.get(context, DocumentQueue)
  )

const inDatabase = (folder: string, ...statements: ReadonlyArray<string>) =>
  Effect.sync(() => {
    const database = new DatabaseSync(databaseOf(folder))
    for (const statement of statements) database.exec(statement)
    database.close()
  })

/** A folder with so many documents that wait, as they are stored when they come in one by one. All tenants are paused. */
const fill = Effect.fnUntraced(function* (documents: number) {
  const folder = yield* temporaryFolder("backlog")
  yield* Effect.scoped(openQueue(folder))
  const number = "printf('%012x', n)"
  yield* inDatabase(
    folder,
    "BEGIN",
    `WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < ${documents})
      INSERT INTO documents (id, tenant_id, name, blob, size, priority, status, accepted_at, queued_at)
      SELECT '01900000-0000-7000-8000-' || ${number}, 'tenant-' || (n % ${tenants}), 'file ' || n || '.pdf',
        printf('%064x', n), 6000, 5, 'queued', 1700000000000 + n, 1700000000000 + n FROM numbers`,
    "UPDATE tenant_stats SET paused = 1 WHERE tenant_id <> '*'",
    "COMMIT"
  )
  return folder
})

/** Seconds from the start of the process until it is ready, and its memory some time later. */
const startOn = Effect.fnUntraced(function* (folder: string, environment: Environment) {
  const ready = Effect.gen(function* () {
    const service = yield* startService({ environment, folder })
    while ((yield* service.client.discard({ path: "/health/ready" })) !== 200) yield* Effect.sleep("20 millis")
    return service
  })
  const [took, { pid, subject }] = yield* Effect.timed(ready)
  yield* Effect.sleep(settling)
  return { subject, seconds: Duration.toSeconds(took), memory: yield* memoryOf(pid, "VmRSS") }
}, Effect.scoped)

/** Microseconds of each claim on each of these databases, one after the other. */
const claimFrom = Effect.fnUntraced(function* (folders: ReadonlyArray<string>) {
  for (const folder of folders) yield* inDatabase(folder, "UPDATE tenant_stats SET paused = 0")
  const queues = yield* Effect.forEach(folders, openQueue)
  const found = folders.map(() => Array<number>())
  const runner = RunnerId.make("bench")
  for (let claim = 0; claim < claims; claim++) {
    const tenant = TenantId.make(`tenant-${claim % tenants}`)
    for (const [index, queue] of queues.entries()) {
      const start = performance.now()
      const claimed = yield* queue.claim(tenant, { runner, lease: Duration.days(1) })
      found[index]?.push((performance.now() - start) * 1000)
      if (claimed._tag === "None") return yield* Effect.die(`${tenant} has nothing to claim`)
    }
  }
  return found
}, Effect.scoped)

const warmClaims = 100

export const backlog = Effect.fnUntraced(function* (rounds: number, environment: Environment) {
  const folders = yield* Effect.forEach(sizes, fill)
  const starts = folders.map(() => Array<Effect.Success<ReturnType<typeof startOn>>>())
  // The first round warms up: the file is not in the machine's memory before.
  for (let round = 0; round <= rounds; round++) {
    for (const [index, folder] of folders.entries()) {
      const started = yield* startOn(folder, environment)
      if (round > 0) starts[index]?.push(started)
    }
  }
  const claimed = (yield* claimFrom(folders)).map((micros) => micros.slice(warmClaims))
  const names = sizes.map((size) => `${size.toLocaleString("en")} queued documents`)
  const each = (what: string, unit: string, figures: (index: number) => ReadonlyArray<number>): Report =>
    names.map((name, index) => ({ name: `${name}, ${what}`, unit, figures: figures(index) }))
  const memory = (index: number) => (starts[index] ?? []).map(({ memory }) => memory)
  const [small = [], large = []] = [memory(0), memory(1)]
  const [few = Number.NaN, many = Number.NaN] = claimed.map((micros) => percentile(micros, 0.5))
  const found: Found = {
    subjects: (starts[0] ?? []).slice(0, 1).map(({ subject }) => subject),
    rows: [
      ...each("memory", "MiB, main process", memory),
      {
        name: "difference of memory",
        unit: "MiB",
        figures: large.map((figure, round) => figure - (small[round] ?? Number.NaN))
      },
      ...each("until ready", "s", (index) => (starts[index] ?? []).map(({ seconds }) => seconds)),
      ...each("a claim, p50", "µs", (index) => [percentile(claimed[index] ?? [], 0.5)]),
      ...each("a claim, p99", "µs", (index) => [percentile(claimed[index] ?? [], 0.99)]),
      { name: "ratio, a claim, p50", unit: "of a million / of a thousand", figures: [many / few] }
    ]
  }
  return found
}, Effect.scoped)

// How many acceptances and checkpoints of 16 pages the store takes in a second: SQLite, and with DATABASE_URL Postgres.
//   DATABASE_URL=postgres://… node bench/store.ts
// Each is measured with so many callers at once; every call ends when it is durable. The database should be an empty one.
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Clock, Console, Duration, Effect, Layer } from "effect"
import { DatabaseConfig } from "../src/layers/config/Config.ts"
import * as Connection from "../src/layers/postgres/database/Connection.ts"
import * as PostgresStore from "../src/layers/postgres/PostgresStore.ts"
import * as SqliteStore from "../src/layers/sqlite/SqliteStore.ts"
import { BlobHash, DocumentId, RunnerId, TenantId } from "../src/domain/Ids.ts"
import type { PageResult } from "../src/domain/document/Page.ts"
import { DocumentQueue } from "../src/services/store/DocumentQueue.ts"

const atOnce = [1, 8, 64]
const seconds = 4
const tenants = Array.from({ length: 100 }, (_, index) => TenantId.make(`tenant-${index}`))
const runner = RunnerId.make("bench")
const limits = { tenant: 1e9, global: 1e9 }

let accepted = Date.now() * 1_000
const nextId = () =>
  DocumentId.make(`01900000-0000-7000-8000-${(accepted++).toString(16).padStart(12, "0").slice(-12)}`)
const hash = BlobHash.make("0".repeat(64))

const newDocument = (tenantId: TenantId) => ({
  id: nextId(),
  tenantId,
  name: "bench.pdf",
  source: { _tag: "Blob", hash, size: 100_000 } as const,
  priority: 5,
  notBefore: undefined,
  sealedPassword: undefined,
  passwordKey: undefined,
  callback: undefined,
  reuse: false
})

/** About as much text and as many lines as a page of a report has. */
const text = Array.from({ length: 400 }, (_, index) => `word${(index * 7919) % 1000}`).join(" ")
const lines = JSON.stringify(
  Array.from({ length: 46 }, (_, index) => ({
    text: text.slice(index * 50, index * 50 + 50),
    x: 72.25,
    y: index * 14.5,
    width: 450,
    height: 12
  }))
)
const page = (number: number): PageResult => ({
  number,
  status: "ok",
  width: 595,
  height: 842,
  rotation: 0,
  text,
  lines,
  error: undefined,
  elapsedMillis: 9.5
})

/** Calls in a second, with so many callers, each of which calls again when it was answered. */
const rate = Effect.fnUntraced(function* (callers: number, call: (caller: number) => Effect.Effect<void, unknown>) {
  const begin = yield* Clock.currentTimeMillis
  let calls = 0
  yield* Effect.forEach(
    Array.from({ length: callers }, (_, caller) => caller),
    (caller) =>
      Effect.gen(function* () {
        while ((yield* Clock.currentTimeMillis) - begin < seconds * 1_000) {
          yield* call(caller)
          calls++
        }
      }),
    { concurrency: "unbounded", discard: true }
  )
  return Math.round(calls / (((yield* Clock.currentTimeMillis) - begin) / 1_000))
})

const tenantOf = (caller: number) => tenants[caller % tenants.length] ?? TenantId.make("other")

const measure = Effect.fnUntraced(function* (name: string) {
  const queue = yield* DocumentQueue
  const accept = (caller: number) => Effect.asVoid(queue.accept(newDocument(tenantOf(caller)), limits))
  for (const callers of atOnce) {
    yield* Console.log(`${name}: accepts, ${callers} at once: ${yield* rate(callers, accept)}/s`)
  }
  for (const callers of atOnce) {
    const claims = yield* Effect.forEach(Array.from({ length: callers }), (_, caller) =>
      Effect.flatMap(queue.claim(tenantOf(caller), { runner, lease: Duration.hours(1) }), Effect.fromOption)
    )
    const done = new Map<number, number>()
    const checkpoint = (caller: number) => {
      const first = done.get(caller) ?? 1
      done.set(caller, first + 16)
      const fence = claims[caller]?.fence
      return fence === undefined
        ? Effect.void
        : queue.savePages(
            fence,
            Array.from({ length: 16 }, (_, index) => page(first + index))
          )
    }
    yield* Console.log(`${name}: checkpoints, ${callers} at once: ${yield* rate(callers, checkpoint)}/s`)
  }
})

const program = Effect.gen(function* () {
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "sluice-bench-"))),
    (made) => Effect.sync(() => rmSync(made, { recursive: true }))
  )
  const { connections, url } = yield* DatabaseConfig
  const sqlite = SqliteStore.layer({ filename: join(folder, "bench.db"), batchInterval: "20 millis" })
  yield* Effect.provide(measure("SQLite"), sqlite)
  if (url === undefined) return yield* Console.log("Postgres is measured if DATABASE_URL names a database.")
  const postgres = Layer.provide(PostgresStore.layerNoDeps, Connection.layer({ url, connections }))
  yield* Effect.provide(measure("Postgres"), postgres)
})

NodeRuntime.runMain(Effect.scoped(program))

import { assert, describe, it } from "@effect/vitest"
import { Context, Duration, Effect, Layer, Option, Random } from "effect"
import { RunnerId, TenantId } from "../../../src/domain/Ids.ts"
import { failure } from "../../../src/domain/Failure.ts"
import * as PostgresStore from "../../../src/layers/postgres/PostgresStore.ts"
import { BlobReferences } from "../../../src/services/store/BlobReferences.ts"
import { DocumentQueue } from "../../../src/services/store/DocumentQueue.ts"
import { Documents } from "../../../src/services/store/Documents.ts"
import { QueueStats } from "../../../src/services/store/QueueStats.ts"
import { WebhookStore } from "../../../src/services/store/WebhookStore.ts"
import { blobHash, documentId, newDocument, openedPdf, page } from "../../conformance/storeFixtures.ts"
import { postgresBinaries, withoutPostgres } from "../../support/postgres/binaries.ts"
import { execute } from "../../support/postgres/server.ts"
import { databaseLayer, emptied } from "../../support/postgres/store.ts"

const database = emptied()
const tenants = ["acme", "globex", "initech"].map((name) => TenantId.make(name))
const limits = { tenant: 12, global: 1_000 }
/** Running documents of a tenant. They go back to its backlog, which may then be that much larger than its limit. */
const most = 4
const calls = 60
const callers = 12

/** One document from its upload to its end or part of the way, or something that gets in the way of others. */
const step = Effect.fnUntraced(function* (number: number, runner: RunnerId) {
  const queue = yield* DocumentQueue
  const documents = yield* Documents
  const tenant = yield* Random.choice(tenants)
  const hash = blobHash(yield* Random.nextIntBetween(1, 6))
  const other = documentId(yield* Random.nextIntBetween(1, number))
  const dice = yield* Random.nextIntBetween(1, 12)
  if (dice <= 4) {
    const reference = yield* (yield* BlobReferences).reserve(hash, "1 hour")
    const source = { _tag: "Blob", hash, size: 10 } as const
    const reuse = yield* Random.nextBoolean
    yield* queue.accept(
      newDocument(number, {
        tenantId: tenant,
        source,
        reference,
        reuse,
        name: "same.pdf",
        callback: "https://a.example"
      }),
      limits
    )
  } else if (dice <= 8) {
    const claimed = yield* queue.claim(tenant, { runner, lease: Duration.hours(1) }, most)
    if (Option.isNone(claimed)) return
    const { fence } = claimed.value
    yield* queue.opened(fence, openedPdf)
    yield* queue.savePages(fence, [page(1), page(2, { status: "failed" })])
    const way = yield* Random.nextIntBetween(1, 3)
    if (way === 1) yield* queue.release(fence)
    else if (way === 2) yield* queue.finish(fence, { status: "partial" })
    else yield* queue.finish(fence, { status: "failed", failure: failure("CORRUPT", "broken") })
  } else if (dice === 9) {
    yield* documents.cancel(tenant, other)
  } else if (dice === 10) {
    const references = yield* BlobReferences
    for (const removal of yield* documents.remove(tenant, other)) yield* references.endRemoval(removal)
  } else if (dice === 11) {
    yield* documents.retry(tenant, other, { sealedPassword: undefined, passwordKey: undefined }, limits)
  } else {
    const store = yield* WebhookStore
    const claims = { runner, limit: 3, perTenant: 3, lease: Duration.hours(1) }
    for (const pending of yield* store.claimCallbacks(claims)) {
      const delivery = {
        at: 1,
        endpoint: "https://a.example",
        status: 200,
        error: undefined,
        elapsedMillis: 1,
        nextAt: undefined
      }
      yield* store.recordDelivery(pending, delivery, undefined)
    }
  }
})

const expectedRefusals = ["QueueFull", "LeaseLost", "DocumentNotFound", "NotRetryable"]

/** Counters as a recount gives them, pages and details of documents only, and no two claims of a document. */
const audit = `
  SELECT
    (SELECT count(*)::int FROM documents d WHERE pages_done <> (SELECT count(*) FROM pages p WHERE p.document = d.seq)
      OR pages_failed <> (SELECT count(*) FROM pages p WHERE p.document = d.seq AND p.status = 'failed')) AS uneven,
    (SELECT count(*)::int FROM pages p WHERE NOT EXISTS (SELECT 1 FROM documents d WHERE d.seq = p.document)) AS orphans,
    (SELECT count(*)::int FROM tenant_stats t CROSS JOIN LATERAL (
      SELECT count(*) FILTER (WHERE status IN ('queued', 'scheduled')) AS waiting, count(*) FILTER (WHERE status = 'queued') AS queued,
        count(*) FILTER (WHERE status = 'running') AS running, count(callback_next_at) AS owed,
        coalesce(sum(size + result_bytes + detail_bytes) FILTER (WHERE status <> 'running'), 0) AS stored
      FROM documents d WHERE d.tenant_id = t.tenant_id
    ) r WHERE (t.waiting, t.queued, t.running, t.owed, t.stored) IS DISTINCT FROM (r.waiting, r.queued, r.running, r.owed, r.stored)
    ) AS miscounted,
    (SELECT count(*)::int FROM tenant_stats WHERE max_waiting > ${limits.tenant + most} OR max_running > ${most}) AS exceeded,
    (SELECT count(*)::int FROM
      (SELECT sum(waiting) AS w, sum(running) AS r, sum(processed) AS p, sum(stored) AS s, sum(owed) AS o FROM counter_shards) c,
      (SELECT sum(waiting) AS w, sum(running) AS r, sum(processed) AS p, sum(stored) AS s, sum(owed) AS o FROM tenant_stats) t
      WHERE (c.w, c.r, c.p, c.s, c.o) IS DISTINCT FROM (t.w, t.r, t.p, t.s, t.o)) AS misadded`

describe.skipIf(postgresBinaries === undefined)(
  postgresBinaries === undefined ? withoutPostgres : "The store on Postgres, used by three processes at once",
  () => {
    for (const seed of ["1", "2"]) {
      it.live(`keeps its limits and its counters, and answers every call (seed ${seed})`, () =>
        Effect.gen(function* () {
          const name = yield* database
          const process = Layer.build(Layer.fresh(Layer.provide(PostgresStore.layerNoDeps, databaseLayer(name))))
          const processes = [yield* process, yield* process, yield* process]
          let number = 0
          const unexpected: Array<string> = []
          const run = (caller: number) => {
            const context = processes[caller % processes.length]
            return context === undefined
              ? Effect.void
              : Effect.suspend(() => step(++number, RunnerId.make(`runner ${caller}`))).pipe(
                  Effect.catch((error) =>
                    Effect.sync(() => {
                      if (!expectedRefusals.includes(error._tag)) unexpected.push(`${error._tag}: ${String(error)}`)
                    })
                  ),
                  Effect.repeat({ times: calls - 1 }),
                  Effect.provideContext(context)
                )
          }
          yield* Effect.forEach(
            Array.from({ length: callers }, (_, caller) => caller),
            run,
            { concurrency: "unbounded", discard: true }
          )
          assert.deepStrictEqual(unexpected, [])
          const [found] = yield* execute(name, audit)
          assert.deepStrictEqual(found, [{ uneven: 0, orphans: 0, miscounted: 0, exceeded: 0, misadded: 0 }])
          const [first] = processes
          const stats = first === undefined ? undefined : yield* Context.get(first, QueueStats).stats()
          assert.isAbove(stats?.processed ?? 0, 0)
        }).pipe(Random.withSeed(seed), Effect.scoped)
      )
    }
  }
)

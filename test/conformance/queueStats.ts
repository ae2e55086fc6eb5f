import { assert } from "@effect/vitest"
import { Duration, Effect, Option, Random } from "effect"
import { isTerminal } from "../../src/domain/document/Document.ts"
import { failure } from "../../src/domain/Failure.ts"
import { type DocumentId, TenantId } from "../../src/domain/Ids.ts"
import { isFailed } from "../../src/domain/document/Page.ts"
import { DocumentQueue } from "../../src/services/store/DocumentQueue.ts"
import { Documents } from "../../src/services/store/Documents.ts"
import type { Fence } from "../../src/services/store/Fence.ts"
import type { QueueCounters } from "../../src/services/store/QueueFigures.ts"
import { QueueStats } from "../../src/services/store/QueueStats.ts"
import {
  accept,
  acme,
  at,
  claim,
  documentId,
  globex,
  lease,
  newDocument,
  openedPdf,
  page,
  plenty,
  retry,
  type Test,
  tryClaim
} from "./storeFixtures.ts"

const tenants = [acme, globex, TenantId.make("initech")] as const
const everything = { status: undefined, before: undefined, limit: 10_000 }
/** Of the original of a document as it is accepted here. */
const size = 100
const zero = { waiting: 0, running: 0, maxWaiting: 0, maxRunning: 0, processed: 0, failed: 0, storedBytes: 0 }

/** One random call with plausible and implausible arguments; typed failures are part of the game. */
const step = Effect.fnUntraced(function* (number: number, fences: Array<Fence>) {
  const queue = yield* DocumentQueue
  const documents = yield* Documents
  const tenant = yield* Random.choice(tenants)
  const id: DocumentId = documentId(yield* Random.nextIntBetween(1, number))
  const fence = fences[yield* Random.nextIntBetween(0, Math.max(0, fences.length - 1))] ?? {
    documentId: id,
    attempt: 1
  }
  const dice = yield* Random.nextIntBetween(1, 25)
  if (dice <= 7) {
    const notBefore = dice === 1 ? number + 50 : undefined
    const document = newDocument(number, { tenantId: tenant, notBefore })
    yield* Effect.ignore(at(number, queue.accept(document, { tenant: 15, global: 30 })))
  } else if (dice <= 11) {
    const claimed = yield* tryClaim(tenant, { ...lease, now: number, until: number + 40 })
    if (Option.isSome(claimed)) fences.push(claimed.value.fence)
  } else if (dice <= 14) {
    const status = yield* Random.choice(["ok", "failed", "timeout"] as const)
    yield* Effect.ignore(queue.savePages(fence, [page(yield* Random.nextIntBetween(1, 5), { status })]))
  } else if (dice === 15) {
    yield* Effect.ignore(at(number, queue.finish(fence, { status: "completed" })))
  } else if (dice === 16) {
    yield* Effect.ignore(at(number, queue.finish(fence, { status: "failed", failure: failure("CORRUPT", "broken") })))
  } else if (dice === 17) {
    yield* Effect.ignore(queue.release(fence))
  } else if (dice === 18) {
    yield* Effect.ignore(at(number, documents.cancel(tenant, id)))
  } else if (dice === 19) {
    yield* Effect.ignore(documents.remove(tenant, id))
  } else if (dice === 20) {
    const again = { at: number, sealedPassword: undefined, passwordKey: undefined }
    yield* Effect.ignore(retry(tenant, id, again, { tenant: 15, global: 30 }))
  } else if (dice === 21) {
    yield* documents.withdraw(tenant, id, 0)
  } else if (dice === 22) {
    yield* at(number, queue.expireQueued(Duration.millis(60), 2))
  } else if (dice === 23) {
    yield* at(number, documents.removeEnded(Duration.millis(80), 2))
  } else if (dice === 24) {
    yield* queue.setPaused(tenant, yield* Random.nextBoolean)
  } else {
    yield* at(number, queue.reclaimExpired)
    yield* at(number, queue.queueDue)
  }
})

const recount = Effect.fnUntraced(function* (tenant: TenantId) {
  const documents = yield* Documents
  const all = yield* documents.list(tenant, everything)
  return {
    waiting: all.filter(({ status }) => status === "queued" || status === "scheduled").length,
    running: all.filter(({ status }) => status === "running").length
  }
})

const total = (perTenant: ReadonlyArray<QueueCounters>, of: "waiting" | "running" | "processed" | "failed") =>
  perTenant.reduce((sum, stats) => sum + stats[of], 0)

const bytesOf = (text: string) => new TextEncoder().encode(text).length

/** What the originals and the pages of its documents take. */
const storedBytes = Effect.fnUntraced(function* (tenant: TenantId) {
  const documents = yield* Documents
  let sum = 0
  for (const { id, size } of yield* documents.list(tenant, everything)) {
    const pages = yield* documents.pages(tenant, id, { from: 1, limit: 100, detail: true })
    sum += pages.reduce((total, { lines, text }) => total + bytesOf(text) + bytesOf(lines), size ?? 0)
  }
  return sum
})

const propertyHolds = Effect.fnUntraced(function* (seed: string) {
  const queue = yield* DocumentQueue
  const documents = yield* Documents
  const queueStats = yield* QueueStats
  const fences: Array<Fence> = []
  const high = { maxWaiting: 0, maxRunning: 0 }
  let processedBefore = 0
  for (let number = 1; number <= 300; number++) {
    yield* step(number, fences)
    const stats = yield* queueStats.stats()
    high.maxRunning = Math.max(high.maxRunning, stats.running)
    assert.isAtMost(high.maxWaiting, stats.maxWaiting)
    high.maxWaiting = stats.maxWaiting
    assert.isAtLeast(stats.processed, processedBefore, `seed ${seed}: totals never shrink`)
    processedBefore = stats.processed
    const of = yield* Random.choice(tenants)
    const perTenant = yield* Effect.forEach(tenants, (tenant) => queueStats.stats(tenant))
    assert.strictEqual(stats.waiting, total(perTenant, "waiting"), `seed ${seed}, step ${number}`)
    assert.strictEqual(stats.running, total(perTenant, "running"), `seed ${seed}, step ${number}`)
    assert.deepInclude(yield* queueStats.stats(of), yield* recount(of), `seed ${seed}, step ${number}`)
    if (number % 10 > 0) continue
    assert.strictEqual(
      (yield* queueStats.stats(of)).storedBytes,
      yield* storedBytes(of),
      `seed ${seed}, step ${number}`
    )
    const all = yield* Effect.forEach(tenants, storedBytes)
    assert.strictEqual(
      (yield* queueStats.stats()).storedBytes,
      all.reduce((sum, bytes) => sum + bytes, 0)
    )
  }
  assert.strictEqual((yield* queueStats.stats()).maxRunning, high.maxRunning)
  const perTenant = yield* Effect.forEach(tenants, (tenant) => queueStats.stats(tenant))
  const all = yield* queueStats.stats()
  assert.strictEqual(all.processed, total(perTenant, "processed"))
  assert.strictEqual(all.failed, total(perTenant, "failed"))
  assert.isAbove(all.processed, 0)

  for (const tenant of tenants) {
    const own = yield* documents.list(tenant, everything)
    const queued = own.some(({ status }) => status === "queued")
    const claimable = queued && !(yield* queue.isPaused(tenant))
    assert.strictEqual((yield* queue.tenantsWithQueued).includes(tenant), claimable)
    for (const { id, progress, status, timings } of own) {
      const pages = yield* documents.pages(tenant, id, { from: 1, limit: 100, detail: false })
      assert.strictEqual(progress.done, pages.length)
      assert.strictEqual(progress.failed, pages.filter((result) => isFailed(result.status)).length)
      assert.strictEqual(timings.finishedAt !== undefined, isTerminal(status))
    }
  }
})

/** Gauges and totals. */
export const counters = (test: Test) => {
  test(
    "starts at zero, also for tenants it has never seen",
    Effect.gen(function* () {
      const queueStats = yield* QueueStats
      assert.deepStrictEqual(yield* queueStats.stats(), zero)
      assert.deepStrictEqual(yield* queueStats.stats(acme), zero)
    })
  )

  test(
    "remembers how many waited and ran at most",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const queueStats = yield* QueueStats
      yield* accept(1)
      yield* accept(2, { notBefore: 5_000 })
      yield* accept(3, { tenantId: globex })
      const first = yield* claim()
      const second = yield* claim(globex)
      yield* at(3_000, queue.finish(first.fence, { status: "partial" }))
      yield* at(3_000, queue.finish(second.fence, { status: "failed", failure: failure("CORRUPT", "broken") }))
      assert.deepStrictEqual(yield* queueStats.stats(acme), {
        ...zero,
        waiting: 1,
        maxWaiting: 2,
        maxRunning: 1,
        processed: 1,
        storedBytes: 2 * size
      })
      assert.deepStrictEqual(yield* queueStats.stats(), {
        waiting: 1,
        running: 0,
        maxWaiting: 3,
        maxRunning: 2,
        processed: 2,
        failed: 1,
        storedBytes: 3 * size
      })
    })
  )

  test(
    "counts no cancelled document as processed and keeps its totals when documents are removed",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const documents = yield* Documents
      const queueStats = yield* QueueStats
      yield* accept(1)
      yield* accept(2)
      const { fence } = yield* claim()
      yield* at(3_000, queue.finish(fence, { status: "completed" }))
      yield* at(3_000, documents.cancel(acme, documentId(2)))
      const before = yield* queueStats.stats()
      assert.deepStrictEqual(before, { ...zero, maxWaiting: 2, maxRunning: 1, processed: 1, storedBytes: 2 * size })
      yield* documents.remove(acme, documentId(1))
      yield* documents.remove(acme, documentId(2))
      assert.deepStrictEqual(yield* queueStats.stats(), { ...before, storedBytes: 0 })
      assert.deepStrictEqual(yield* queueStats.stats(acme), { ...before, storedBytes: 0 })
    })
  )

  test(
    "counts what an opened file says, once, and its pages",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const documents = yield* Documents
      const queueStats = yield* QueueStats
      yield* accept(1)
      yield* accept(2)
      const { fence } = yield* claim()
      yield* queue.opened(fence, openedPdf)
      yield* queue.opened(fence, openedPdf)
      const details = bytesOf(JSON.stringify(openedPdf.metadata)) + bytesOf(JSON.stringify(openedPdf.outline))
      assert.strictEqual((yield* queueStats.stats(acme)).storedBytes, 2 * size + details)
      const pages = [page(1, { text: "größer" }), page(2, { layout: new Uint8Array(100) })]
      const read = pages.reduce((sum, { lines, text }) => sum + bytesOf(text) + bytesOf(lines), 100)
      yield* at(3_000, queue.finishWhole(fence, { pdf: openedPdf, pages }, { status: "completed" }))
      assert.strictEqual((yield* queueStats.stats(acme)).storedBytes, 2 * size + details + read)
      yield* documents.remove(acme, documentId(1))
      assert.strictEqual((yield* queueStats.stats()).storedBytes, size)
    })
  )

  test(
    "refuses what would take a tenant beyond its bytes, and takes it when there is room",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const documents = yield* Documents
      const limits = { ...plenty, storedBytes: 2.5 * size }
      yield* queue.accept(newDocument(1), limits)
      yield* queue.accept(newDocument(2), limits)
      const error = yield* Effect.flip(queue.accept(newDocument(3), limits))
      assert.deepInclude(error, { _tag: "QuotaReached", limit: 2.5 * size, storedBytes: 2 * size })
      yield* queue.accept(newDocument(4, { tenantId: globex }), limits)
      yield* queue.accept(newDocument(5), plenty)
      yield* at(3_000, documents.cancel(acme, documentId(1)))
      yield* documents.remove(acme, documentId(1))
      yield* documents.remove(acme, documentId(2))
      yield* queue.accept(newDocument(3), limits)
    })
  )

  for (const seed of ["1", "2", "3", "4"]) {
    test(
      `agrees with a recount after every one of 300 random calls (seed ${seed})`,
      propertyHolds(seed).pipe(Random.withSeed(seed))
    )
  }
}

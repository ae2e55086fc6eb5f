import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect, Option } from "effect"
import { TestClock } from "effect/testing"
import { failure } from "../../../src/domain/Failure.ts"
import { type ScriptedDocument, type ScriptedPage, soundDocument } from "../../../src/services/PdfEngineScripted.ts"
import { startEngine, tenant, until } from "../../support/engine.ts"

const pages = (pageCount: number, millis: number): ScriptedDocument => ({
  ...soundDocument(pageCount, `${millis} millis`),
  open: () => ({ _tag: "Opens", pageCount, takes: "5 millis" })
})
const scripts = { long: pages(2_000, 8), short: pages(1, 8), middle: pages(200, 8) }
const quiet = tenant("quiet")

/** How long the quiet tenant's page takes when hot tenants hold every permit. */
const waitBehind = Effect.fnUntraced(function* (hotTenants: number, globalDocuments: number) {
  const engine = yield* startEngine({ scripts, capacity: 2, limits: { globalDocuments } })
  for (let n = 0; n < 4 * hotTenants; n++) yield* engine.submit("long", tenant(`hot-${n % hotTenants}`))
  // Until each of them has had its first turn.
  yield* TestClock.adjust("12 seconds")
  const waits: Array<number> = []
  for (let n = 0; n < 10; n++) {
    const before = yield* Clock.currentTimeMillis
    const { id } = yield* engine.submit("short", quiet)
    yield* engine.awaitEnd(id, quiet, "1 millis")
    waits.push((yield* Clock.currentTimeMillis) - before)
    yield* TestClock.adjust("937 millis")
  }
  return Math.max(...waits)
})

describe("preemption", () => {
  for (const [hotTenants, permits] of [
    [1, 1],
    [1, 2],
    [4, 2],
    [12, 8],
    [100, 8]
  ] as const) {
    it.effect(`lets a quiet tenant's page through when ${hotTenants} hot tenants want all ${permits} permits`, () =>
      Effect.gen(function* () {
        assert.isAtMost(yield* waitBehind(hotTenants, permits), 250)
      })
    )
  }

  it.effect("keeps the pages that were read, reads none twice, and opens the document once", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts, capacity: 2, limits: { globalDocuments: 1 } })
      const { id } = yield* engine.submit("middle", tenant("big"))
      yield* TestClock.adjust("300 millis")
      const short = yield* engine.submit("short", quiet)
      yield* engine.awaitEnd(short.id, quiet, "5 millis")
      const document = yield* engine.awaitEnd(id, tenant("big"))
      assert.strictEqual(document.status, "completed")
      assert.strictEqual(document.interruptions, 1)
      assert.strictEqual(engine.scripted.timesOpened(id), 1)
      for (let page = 1; page <= 200; page++) assert.strictEqual(engine.scripted.timesRead(id, page), 1)
    })
  )

  it.effect("costs a document few changes of place, and none when nobody waits", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts, capacity: 2, limits: { globalDocuments: 1 } })
      const alone = yield* engine.submit("long", tenant("alone"))
      assert.strictEqual((yield* engine.awaitEnd(alone.id, tenant("alone"))).interruptions, 0)
      const one = yield* engine.submit("long", tenant("one"))
      const other = yield* engine.submit("long", tenant("other"))
      const ends = [yield* engine.awaitEnd(one.id, tenant("one")), yield* engine.awaitEnd(other.id, tenant("other"))]
      // 16 s of work each, in runs that end when the other is a quarter of a second of work behind.
      for (const { interruptions } of ends) {
        assert.isAtLeast(interruptions, 8)
        assert.isAtMost(interruptions, 16_000 / 250)
      }
    })
  )

  it.effect("gives a page in doubt its verdict before the document makes room", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({
        scripts: {
          ...scripts,
          hanging: {
            ...pages(100, 8),
            page: (page) => (page === 20 ? { _tag: "Hang" } : { _tag: "Page", takes: "8 millis" })
          }
        },
        capacity: 1,
        limits: { globalDocuments: 1, pageTimeout: Duration.seconds(2) }
      })
      const { id } = yield* engine.submit("hanging", tenant("big"))
      for (let n = 0; n < 4; n++) yield* engine.submit("long", tenant(`hot-${n}`))
      const document = yield* engine.awaitEnd(id, tenant("big"))
      assert.deepStrictEqual([document.status, document.progress.failed], ["partial", 1])
      assert.isAtMost(engine.scripted.timesRead(id, 20), 2)
    })
  )

  const troubles: Record<string, (page: number) => ScriptedPage> = {
    "can be read after all": () => ({ _tag: "Page", takes: "1 second" }),
    "cannot be read": () => ({ _tag: "Failed", error: failure("CORRUPT", "it is no page"), takes: "1 second" }),
    hang: () => ({ _tag: "Hang" })
  }
  for (const [how, page] of Object.entries(troubles)) {
    it.effect(
      `lets a quiet tenant's page through when a document goes on with nothing but pages in doubt that ${how}`,
      () =>
        Effect.gen(function* () {
          const engine = yield* startEngine({
            scripts: {
              ...scripts,
              doubtful: { open: () => ({ _tag: "Opens", pageCount: 30, takes: "5 millis", head: 0 }), page }
            },
            capacity: 1,
            limits: { globalDocuments: 1, pageTimeout: Duration.seconds(2) },
            // As if an earlier run had found a fault in each of its pages.
            store: (store) => ({
              claim: (owner, lease) =>
                Effect.map(
                  store.claim(owner, lease),
                  Option.map((claim) => {
                    const suspects = Array.from(
                      { length: claim.document.name === "doubtful.pdf" ? 30 : 0 },
                      (_, n) => n + 1
                    )
                    return { ...claim, faults: new Map(suspects.map((number) => [number, { failures: 1, deaths: 0 }])) }
                  })
                )
            })
          })
          const { id } = yield* engine.submit("doubtful", tenant("big"))
          yield* TestClock.adjust("500 millis")
          const before = yield* Clock.currentTimeMillis
          const short = yield* engine.submit("short", quiet)
          yield* engine.awaitEnd(short.id, quiet, "1 millis")
          // Its first page, which is read to its end before it may be asked for its permit.
          assert.isAtMost((yield* Clock.currentTimeMillis) - before, 2_100)
          const waiting = yield* engine.ingestion.status(tenant("big"), id)
          assert.deepStrictEqual([waiting.interruptions, waiting.progress.done], [1, 1])
          const document = yield* engine.awaitEnd(id, tenant("big"))
          assert.strictEqual(document.progress.done, 30)
          for (let page = 1; page <= 30; page++) assert.strictEqual(engine.scripted.timesRead(id, page), 1)
        })
    )
  }

  it.effect("brings a verdict in every run of a document with nothing but pages in doubt", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({
        scripts: { ...scripts, doubtful: { ...pages(20, 8), page: () => ({ _tag: "Death" }) } },
        capacity: 1,
        limits: { globalDocuments: 1 }
      })
      const { id } = yield* engine.submit("doubtful", tenant("big"))
      for (let n = 0; n < 4; n++) yield* engine.submit("long", tenant(`hot-${n}`))
      const document = yield* engine.awaitEnd(id, tenant("big"))
      assert.deepStrictEqual([document.status, document.progress.failed], ["failed", 20])
      assert.isAtMost(document.interruptions, 20)
    })
  )

  it.effect("never takes a permit for a tenant that has nothing to run", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts, capacity: 2, limits: { globalDocuments: 1 } })
      const { id } = yield* engine.submit("middle", tenant("big"))
      yield* TestClock.adjust("300 millis")
      yield* engine.directory.tell(quiet, { _tag: "Wake" })
      assert.strictEqual((yield* engine.awaitEnd(id, tenant("big"))).interruptions, 0)
    })
  )

  it.effect("shares the machine equally between tenants of which not all fit through the gate", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts, capacity: 2, limits: { globalDocuments: 2 } })
      const documents = []
      for (let n = 0; n < 5; n++) documents.push(yield* engine.submit("long", tenant(`t${n}`)))
      yield* TestClock.adjust("20 seconds")
      const done: Array<number> = []
      for (const { id, tenantId } of documents) done.push((yield* engine.ingestion.status(tenantId, id)).progress.done)
      const total = done.reduce((sum, count) => sum + count, 0)
      const squares = done.reduce((sum, count) => sum + count * count, 0)
      assert.isAtLeast(total ** 2 / (done.length * squares), 0.99)
      assert.isAtLeast(total * 8, 0.95 * 40_000)
    })
  )

  it.effect("gives the permit of a tenant that went away to the next", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts, capacity: 2, limits: { globalDocuments: 1 } })
      const big = yield* engine.submit("middle", tenant("big"))
      yield* TestClock.adjust("300 millis")
      const gone = yield* engine.submit("short", quiet)
      yield* engine.ingestion.cancel(quiet, gone.id)
      yield* engine.awaitEnd(big.id, tenant("big"))
      yield* until(Effect.map(engine.gateInUse("global"), (held) => held === 0))
      const last = yield* engine.submit("short", quiet)
      assert.strictEqual((yield* engine.awaitEnd(last.id, quiet)).status, "completed")
    })
  )
})

import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect, Stream } from "effect"
import { failure } from "../../../src/domain/Failure.ts"
import type { HeadRequest, PdfEngine } from "../../../src/services/PdfEngine.ts"
import { type ScriptedDocument, type ScriptedPage, soundDocument } from "../../../src/services/PdfEngineScripted.ts"
import {
  acme,
  brief,
  letPass,
  makeWorld,
  startEngine,
  tenant,
  until,
  words,
  type WorldOptions
} from "../../support/engine.ts"

type Reader = PdfEngine["Service"]

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

const read: ScriptedPage = { _tag: "Page", takes: "2 millis" }
const unreadable: ScriptedPage = { _tag: "Failed", error: failure("PAGE_UNREADABLE", "its content is damaged") }
const corrupt: ScriptedPage = { _tag: "Failed", error: failure("CORRUPT", "it is no page") }

/** Six pages, all of the head, of which the second behaves as said. */
const sixBut = (second: (before: number) => ScriptedPage): ScriptedDocument => ({
  open: () => ({ _tag: "Opens", pageCount: 6, takes: "5 millis" }),
  page: (number, before) => (number === 2 ? second(before) : read)
})

const scripts = {
  short: sixBut(() => read),
  /** Three pages of it are begun while its head is read. */
  long: soundDocument(100, "8 millis"),
  /** Its first page is more than a tenant may be ahead of a newcomer. */
  slowStart: {
    ...soundDocument(50),
    page: (number) => ({ _tag: "Page", takes: number === 1 ? "80 millis" : "8 millis" })
  },
  other: soundDocument(1, "8 millis"),
  once: sixBut((before) => (before === 0 ? unreadable : read)),
  always: sixBut(() => unreadable),
  permanent: sixBut(() => corrupt),
  unlucky: sixBut((before) => (before === 0 ? { _tag: "Death" } : read)),
  deadly: sixBut(() => ({ _tag: "Death" })),
  greedy: sixBut(() => ({ _tag: "Death", memory: true })),
  hangsOnce: sixBut((before) => (before === 0 ? { _tag: "Hang" } : read)),
  hangs: sixBut(() => ({ _tag: "Hang" }))
} satisfies WorldOptions["scripts"]

/** What was asked of the workers, and how many pages of one document they were allowed to have in hand at once. */
const watching = () => {
  const heads: Array<HeadRequest | undefined> = []
  const ranges: Array<ReadonlyArray<number>> = []
  const inHand = new Map<string, number>()
  let mostInHand = 0
  const hold = (key: string, pages: number) =>
    Effect.acquireRelease(
      Effect.sync(() => {
        const held = (inHand.get(key) ?? 0) + pages
        inHand.set(key, held)
        mostInHand = Math.max(mostInHand, held)
      }),
      () => Effect.sync(() => inHand.set(key, (inHand.get(key) ?? 0) - pages))
    )
  const reader = (engine: Reader): Partial<Reader> => ({
    open: (pdf, head) => {
      heads.push(head)
      const pages = head === undefined ? 0 : Math.min(head.pages, head.concurrency)
      return Effect.scoped(Effect.andThen(hold(pdf.key, pages), engine.open(pdf, head)))
    },
    read: (pdf, pages, concurrency) =>
      Stream.suspend(() => {
        ranges.push(pages)
        return Stream.unwrap(
          Effect.as(hold(pdf.key, Math.min(concurrency, pages.length)), engine.read(pdf, pages, concurrency))
        )
      })
  })
  return { reader, heads, ranges, mostInHand: () => mostInHand }
}

const outcomeOf = Effect.fnUntraced(function* (script: keyof typeof scripts, options: WorldOptions = {}) {
  const engine = yield* startEngine({ scripts, ...options })
  const { id } = yield* engine.submit(script)
  const events = brief(yield* letPass(yield* engine.followed(id)))
  const document = yield* engine.ingestion.status(acme, id)
  const pages = yield* engine.pagesOf(id)
  const faults = pages.flatMap(({ error, number, status }) => (error ? [`${number} ${status} ${error.code}`] : []))
  return { document, events, faults, pages, timesRead: (page: number) => engine.scripted.timesRead(id, page) }
})

describe("the head of a document", () => {
  it.effect("is all that is read of a short one, and is told page by page like any other", () =>
    Effect.gen(function* () {
      const { heads, ranges, reader } = watching()
      const { document, events, timesRead } = yield* outcomeOf("short", { reader })
      assert.deepStrictEqual([document.status, heads.length, ranges], ["completed", 1, []])
      assert.deepStrictEqual(
        upTo(6).map(timesRead),
        upTo(6).map(() => 1)
      )
      assert.deepStrictEqual(
        events.filter((event) => event !== "DocumentAccepted" && event !== "DocumentStarted"),
        ["DocumentOpened", ...upTo(6).map((page) => `PageDone ${page} ok`), "DocumentEnded completed"]
      )
    })
  )

  it.effect("is kept, and the other pages of a long one are read in ranges", () =>
    Effect.gen(function* () {
      const { ranges, reader } = watching()
      const saved: Array<number> = []
      const { document, timesRead } = yield* outcomeOf("long", {
        reader,
        store: (store) => ({
          savePages: (fence, pages) => {
            saved.push(...pages.map(({ number }) => number))
            return store.savePages(fence, pages)
          }
        })
      })
      assert.strictEqual(document.status, "completed")
      for (const numbers of [saved, [1, 2, 3, ...ranges.flat()]]) {
        assert.deepStrictEqual(
          numbers.toSorted((a, b) => a - b),
          upTo(100)
        )
      }
      for (const page of upTo(100)) assert.strictEqual(timesRead(page), 1)
    })
  )

  for (const [script, status, faults, times] of [
    ["once", "completed", [], 2],
    ["always", "partial", ["2 failed PAGE_UNREADABLE"], 3],
    ["permanent", "partial", ["2 failed CORRUPT"], 1],
    ["unlucky", "completed", [], 2],
    ["deadly", "partial", ["2 failed CRASHED"], 3],
    ["greedy", "partial", ["2 failed RESOURCE_LIMIT"], 3],
    ["hangsOnce", "completed", [], 2],
    ["hangs", "partial", ["2 timeout PAGE_TIMEOUT"], 2]
  ] as const) {
    it.effect(`leaves a page its chances and its neighbours their results: ${script}`, () =>
      Effect.gen(function* () {
        const { document, faults: found, pages, timesRead } = yield* outcomeOf(script)
        assert.deepStrictEqual([document.status, found, pages.length], [status, faults, 6])
        assert.strictEqual(timesRead(2), times)
        assert.isAtMost(timesRead(6), 2)
      })
    )
  }

  it.effect("that stalls costs one page timeout, and the page that stalls it another", () =>
    Effect.gen(function* () {
      yield* outcomeOf("hangs", { limits: { pageTimeout: Duration.seconds(3) } })
      assert.isAtMost(yield* Clock.currentTimeMillis, 6_500)
    })
  )

  for (const limit of [1, 2, 6]) {
    it.effect(`has no more pages in hand at once than the limit of ${limit}`, () =>
      Effect.gen(function* () {
        const { heads, mostInHand, reader } = watching()
        const { document } = yield* outcomeOf("long", { reader, limits: { documentPages: limit } })
        assert.strictEqual(document.status, "completed")
        assert.strictEqual(heads[0]?.concurrency, Math.min(4, limit))
        assert.isAtMost(mostInHand(), limit)
      })
    )
  }

  it.effect("counts as progress: the document gives way after it, and goes on without being opened again", () =>
    Effect.gen(function* () {
      const { heads, reader } = watching()
      const engine = yield* startEngine({ scripts, reader, capacity: 1, limits: { globalDocuments: 1 } })
      const { id } = yield* engine.submit("slowStart", tenant("big"))
      yield* until(
        Effect.sync(() => engine.scripted.timesRead(id, 1) === 1),
        "1 millis"
      )
      const quiet = yield* engine.submit("other", tenant("quiet"))
      yield* engine.awaitEnd(quiet.id, tenant("quiet"), "1 millis")
      const waiting = yield* engine.ingestion.status(tenant("big"), id)
      assert.deepStrictEqual([waiting.interruptions, waiting.progress.done], [1, 1])
      const document = yield* engine.awaitEnd(id, tenant("big"))
      assert.deepStrictEqual([document.status, engine.scripted.timesOpened(id)], ["completed", 1])
      assert.strictEqual(heads.length, 2)
      for (const page of upTo(50)) assert.strictEqual(engine.scripted.timesRead(id, page), 1)
    })
  )

  it.effect("that was read when the engine stops is kept for the next one", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ scripts })
      const first = yield* world.start
      const { id } = yield* words(first.ingestion).submit("long")
      yield* until(
        Effect.sync(() => world.scripted.timesRead(id, 2) === 1),
        "1 millis"
      )
      const stop = yield* Effect.forkChild(first.stop, { startImmediately: true })
      yield* letPass(stop)
      const { progress, status } = yield* world.store.find(acme, id)
      assert.deepStrictEqual([status, progress.done], ["queued", 3])
      const second = yield* world.start
      assert.strictEqual((yield* words(second.ingestion).awaitEnd(id)).status, "completed")
      assert.strictEqual(world.scripted.timesOpened(id), 1)
      for (const page of upTo(100)) assert.strictEqual(world.scripted.timesRead(id, page), 1)
    })
  )

  it.effect("is dropped when the file claims more pages than it may", () =>
    Effect.gen(function* () {
      const { document, events, pages } = yield* outcomeOf("short", { limits: { pages: 5 } })
      assert.deepStrictEqual(
        [document.status, document.failure?.code, document.progress.done, pages],
        ["failed", "TOO_MANY_PAGES", 0, []]
      )
      assert.isFalse(events.some((event) => event.startsWith("PageDone") || event === "DocumentOpened"))
    })
  )

  it.effect("sizes the first range by what it took of its worker, not by the sum of times that overlap", () =>
    Effect.gen(function* () {
      const { ranges, reader } = watching()
      const sideBySide = (engine: Reader): Partial<Reader> => ({
        ...reader(engine),
        open: (pdf, head) =>
          Effect.map(engine.open(pdf, head), (opened) => ({
            ...opened,
            head: (opened.head ?? []).map((page) => ({ ...page, elapsedMillis: 4 * page.elapsedMillis }))
          }))
      })
      yield* outcomeOf("long", { reader: sideBySide })
      assert.strictEqual(ranges[0]?.length, 8)
    })
  )
})

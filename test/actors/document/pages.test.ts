import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { failure } from "../../../src/domain/Failure.ts"
import { StoreUnavailable } from "../../../src/services/store/StoreErrors.ts"
import { type ScriptedDocument, type ScriptedPage, soundDocument } from "../../../src/services/PdfEngineScripted.ts"
import { startEngine } from "../../support/engine.ts"

const ten = soundDocument(10, "10 millis")
const read: ScriptedPage = { _tag: "Page", takes: "10 millis" }
const unreadable: ScriptedPage = { _tag: "Failed", error: failure("PAGE_UNREADABLE", "its content is damaged") }
const corrupt: ScriptedPage = { _tag: "Failed", error: failure("CORRUPT", "it is no page") }

/** Ten pages of which these behave as said. */
const tenBut = (others: Readonly<Record<number, (before: number) => ScriptedPage>>): ScriptedDocument => ({
  ...ten,
  page: (number, before) => others[number]?.(before) ?? read
})

const headless: ScriptedDocument = {
  ...tenBut({ 4: (before) => (before === 0 ? unreadable : read) }),
  open: () => ({ _tag: "Opens", pageCount: 10, head: 0 })
}

const scripts = {
  once: tenBut({ 4: (before) => (before === 0 ? unreadable : read) }),
  always: tenBut({ 4: () => unreadable }),
  permanent: tenBut({ 4: () => corrupt }),
  hopeless: { ...ten, page: () => corrupt },
  deadly: tenBut({ 4: () => ({ _tag: "Death" }) }),
  greedy: tenBut({ 4: () => ({ _tag: "Death", memory: true }) }),
  twice: tenBut({ 4: () => ({ _tag: "Death" }), 5: () => ({ _tag: "Death", memory: true }) }),
  unlucky: tenBut({ 4: (before) => (before === 0 ? { _tag: "Death" } : read) }),
  mixed: tenBut({ 2: () => unreadable, 3: () => ({ _tag: "Death" }), 7: () => corrupt, 10: () => ({ _tag: "Death" }) }),
  many: soundDocument(500, "5 millis"),
  swift: soundDocument(500, "1 millis"),
  headless
}

const outcomeOf = Effect.fnUntraced(function* (script: string) {
  const engine = yield* startEngine({ scripts })
  const { id } = yield* engine.submit(script)
  const document = yield* engine.awaitEnd(id)
  const pages = yield* engine.pagesOf(id)
  const faults = pages.flatMap(({ error, number, status }) => (error ? [`${number} ${status} ${error.code}`] : []))
  return { document, pages, faults, timesRead: (page: number) => engine.scripted.timesRead(id, page), engine }
})

describe("the pages of a document", () => {
  it.effect("get a second chance when they fail", () =>
    Effect.gen(function* () {
      const { document, faults, timesRead } = yield* outcomeOf("once")
      assert.deepStrictEqual([document.status, faults, timesRead(4), timesRead(5)], ["completed", [], 2, 1])
    })
  )

  it.effect("are condemned after three failures, and the others are delivered", () =>
    Effect.gen(function* () {
      const { document, faults, pages, timesRead } = yield* outcomeOf("always")
      assert.deepStrictEqual([document.status, pages.length, document.progress.failed], ["partial", 10, 1])
      assert.deepStrictEqual([faults, timesRead(4), timesRead(5)], [["4 failed PAGE_UNREADABLE"], 3, 1])
    })
  )

  it.effect("are not read again when the failure is permanent", () =>
    Effect.gen(function* () {
      const { document, faults, timesRead } = yield* outcomeOf("permanent")
      assert.deepStrictEqual([document.status, faults, timesRead(4)], ["partial", ["4 failed CORRUPT"], 1])
    })
  )

  it.effect("fail their document with their own code when none of them can be read", () =>
    Effect.gen(function* () {
      const { document, pages } = yield* outcomeOf("hopeless")
      assert.deepStrictEqual([document.status, document.failure?.code, pages.length], ["failed", "CORRUPT", 10])
    })
  )

  it.effect("are condemned as CRASHED when workers die on them, and the innocent ones are delivered", () =>
    Effect.gen(function* () {
      const { document, faults, pages, timesRead } = yield* outcomeOf("deadly")
      assert.deepStrictEqual([document.status, pages.length, faults], ["partial", 10, ["4 failed CRASHED"]])
      assert.isAtMost(timesRead(4), 3)
    })
  )

  it.effect("are condemned as RESOURCE_LIMIT when workers die on them at their memory limit", () =>
    Effect.gen(function* () {
      const { document, faults, timesRead } = yield* outcomeOf("greedy")
      assert.deepStrictEqual([document.status, faults], ["partial", ["4 failed RESOURCE_LIMIT"]])
      assert.isAtMost(timesRead(4), 3)
    })
  )

  it.effect("are told apart when two of them kill workers", () =>
    Effect.gen(function* () {
      const { document, faults, pages } = yield* outcomeOf("twice")
      assert.deepStrictEqual([document.status, pages.length], ["partial", 10])
      assert.deepStrictEqual(faults, ["4 failed CRASHED", "5 failed RESOURCE_LIMIT"])
    })
  )

  it.effect("survive the death of a worker that was not their doing", () =>
    Effect.gen(function* () {
      const { document, faults, pages } = yield* outcomeOf("unlucky")
      assert.deepStrictEqual([document.status, faults, pages.length], ["completed", [], 10])
    })
  )

  it.effect("get their own results whatever mixture of troubles their neighbours have", () =>
    Effect.gen(function* () {
      const { document, faults, pages } = yield* outcomeOf("mixed")
      assert.deepStrictEqual([document.status, pages.length, document.progress.failed], ["partial", 10, 4])
      assert.deepStrictEqual(faults, [
        "2 failed PAGE_UNREADABLE",
        "3 failed CRASHED",
        "7 failed CORRUPT",
        "10 failed CRASHED"
      ])
    })
  )

  it.effect("are saved once each, and read once each, however slow the store is", () =>
    Effect.gen(function* () {
      const saved: Array<number> = []
      let unsaved = 0
      let mostUnsaved = 0
      const engine = yield* startEngine({
        scripts,
        store: (store) => ({
          savePages: (fence, pages) =>
            Effect.gen(function* () {
              unsaved += pages.length
              mostUnsaved = Math.max(mostUnsaved, unsaved)
              yield* Effect.sleep("300 millis")
              unsaved -= pages.length
              saved.push(...pages.map(({ number }) => number))
              yield* store.savePages(fence, pages)
            })
        })
      })
      const { id } = yield* engine.submit("many")
      const document = yield* engine.awaitEnd(id)
      assert.deepStrictEqual([document.status, document.attempt, document.progress.done], ["completed", 1, 500])
      assert.strictEqual(new Set(saved).size, saved.length)
      assert.isAtMost(mostUnsaved, 130)
      for (let page = 1; page <= 500; page++) assert.strictEqual(engine.scripted.timesRead(id, page), 1)
    })
  )

  it.effect("are saved in one write if they came together, but for those to be read again", () =>
    Effect.gen(function* () {
      const saved: Array<ReadonlyArray<number>> = []
      const engine = yield* startEngine({
        scripts,
        gathering: "1 second",
        capacity: 1,
        limits: { documentPages: 1 },
        store: (store) => ({
          savePages: (fence, pages) => {
            saved.push(pages.map(({ number }) => number))
            return store.savePages(fence, pages)
          }
        })
      })
      const { id } = yield* engine.submit("headless")
      const document = yield* engine.awaitEnd(id)
      assert.deepStrictEqual([document.status, document.progress.done], ["completed", 10])
      // The first page of a range waits for no other.
      assert.deepStrictEqual(saved, [[1], [2, 3], [4], [5], [6, 7, 8, 9, 10]])
    })
  )

  it.effect("do not stop the reading for good when more come together than may wait for a slow store", () =>
    Effect.gen(function* () {
      const batches: Array<number> = []
      let unsaved = 0
      let mostUnsaved = 0
      const engine = yield* startEngine({
        scripts,
        gathering: "1 minute",
        store: (store) => ({
          savePages: (fence, pages) =>
            Effect.gen(function* () {
              batches.push(pages.length)
              unsaved += pages.length
              mostUnsaved = Math.max(mostUnsaved, unsaved)
              yield* Effect.sleep("3 seconds")
              unsaved -= pages.length
              yield* store.savePages(fence, pages)
            })
        })
      })
      const { id } = yield* engine.submit("swift")
      const document = yield* engine.awaitEnd(id)
      assert.deepStrictEqual([document.status, document.progress.done], ["completed", 500])
      assert.isAtMost(mostUnsaved, 128)
      assert.strictEqual(Math.max(...batches), 32)
      for (let page = 1; page <= 500; page++) assert.strictEqual(engine.scripted.timesRead(id, page), 1)
    })
  )

  it.effect("are saved even when the store fails for a moment", () =>
    Effect.gen(function* () {
      const refused = new Map<number, number>()
      const engine = yield* startEngine({
        scripts,
        store: (store) => ({
          savePages: (fence, pages) =>
            Effect.suspend(() => {
              const first = pages[0]?.number ?? 0
              const before = refused.get(first) ?? 0
              refused.set(first, before + 1)
              return before < 3
                ? new StoreUnavailable({ operation: "save pages", cause: "test" })
                : store.savePages(fence, pages)
            })
        })
      })
      const { id } = yield* engine.submit("many")
      const document = yield* engine.awaitEnd(id)
      assert.deepStrictEqual([document.status, document.attempt, document.progress.done], ["completed", 1, 500])
    })
  )
})

import { assert, it, layer } from "@effect/vitest"
import { Duration, Effect, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"
import { failure } from "../../../src/domain/Failure.ts"
import { PdfEngine } from "../../../src/services/PdfEngine.ts"
import { makeScriptedEngine, type ScriptedDocument, soundDocument } from "../../../src/services/PdfEngineScripted.ts"
import { pdfEngineConformance } from "../../conformance/pdfEngine.ts"
import { inMemory, pdfOf } from "./engine.ts"

const noPdf: ScriptedDocument = {
  ...soundDocument(1),
  open: () => ({ _tag: "Unreadable", failure: failure("NOT_PDF", "The file has no %PDF header.") })
}

const documents = new Map<string, ScriptedDocument>([["unreadable", noPdf]])
const sound = (key: string, pages: number) => {
  documents.set(key, soundDocument(pages))
  return pdfOf(key, inMemory(new Uint8Array()))
}
const scripted = makeScriptedEngine((pdf) => documents.get(pdf.key) ?? noPdf)

layer(scripted.layer)("The scripted engine", (it) => {
  pdfEngineConformance(it, { document: sound, unreadable: (key) => pdfOf(key, inMemory(new Uint8Array())) })
})

it.effect("Scripted pages take time on the clock, one after another, and capacity holds", () => {
  const engine = makeScriptedEngine(() => soundDocument(3, "1 second"), { capacity: 1 })
  const pdf = pdfOf("slow", inMemory(new Uint8Array()))
  return Effect.gen(function* () {
    const { read } = yield* PdfEngine
    const readAll = Effect.forkChild(Stream.runCollect(read(pdf, [1, 2, 3], 3)), { startImmediately: true })
    const first = yield* readAll
    const second = yield* readAll
    yield* TestClock.adjust("3 seconds")
    assert.strictEqual((yield* Fiber.join(first)).length, 3)
    assert.strictEqual(engine.timesRead("slow", 3), 1)
    yield* TestClock.adjust(Duration.seconds(3))
    assert.strictEqual((yield* Fiber.join(second))[0]?.elapsedMillis, 1000)
    assert.deepStrictEqual([engine.timesRead("slow", 3), engine.peak(), engine.working()], [2, 1, 0])
  }).pipe(Effect.provide(engine.layer))
})

it.effect("Scripted pages of a head are begun for 24 ms, or as many as the script says", () => {
  const engine = makeScriptedEngine(({ key }) => ({
    ...soundDocument(20, "10 millis"),
    open: () => ({ _tag: "Opens", pageCount: 20, takes: "1 second", ...(key === "told" && { head: 5 }) })
  }))
  return Effect.gen(function* () {
    const { open } = yield* PdfEngine
    for (const [key, pages, read] of [
      ["plain", 8, 3],
      ["plain", 2, 2],
      ["told", 8, 5],
      ["told", 2, 2]
    ] as const) {
      const pdf = pdfOf(key, inMemory(new Uint8Array()))
      const opening = yield* Effect.forkChild(open(pdf, { pages, concurrency: 4 }), { startImmediately: true })
      yield* TestClock.adjust(Duration.millis(1_000 + 10 * read - 1))
      assert.isUndefined(opening.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      const { head, headMillis } = yield* Fiber.join(opening)
      assert.deepStrictEqual([head?.length, headMillis], [read, 10 * read])
    }
    assert.deepStrictEqual(
      [1, 3, 4].map((page) => engine.timesRead("plain", page)),
      [2, 1, 0]
    )
  }).pipe(Effect.provide(engine.layer))
})

it.effect("A scripted death within a head ends the call, and a page that hangs there holds it up", () => {
  const engine = makeScriptedEngine(({ key }) => ({
    ...soundDocument(3),
    page: (page) => (page === 2 ? { _tag: key === "deadly" ? "Death" : "Hang" } : { _tag: "Page" })
  }))
  return Effect.gen(function* () {
    const { open, status } = yield* PdfEngine
    const openWithHead = (key: string) => open(pdfOf(key, inMemory(new Uint8Array())), { pages: 8, concurrency: 1 })
    assert.strictEqual((yield* Effect.flip(openWithHead("deadly"))).reason._tag, "WorkerDied")
    assert.strictEqual((yield* status).replaced, 1)
    const hanging = yield* Effect.forkChild(openWithHead("hanging"), { startImmediately: true })
    yield* TestClock.adjust("1 hour")
    assert.isUndefined(hanging.pollUnsafe())
    assert.strictEqual(engine.working(), 1)
    yield* Fiber.interrupt(hanging)
    assert.strictEqual(engine.working(), 0)
    assert.deepStrictEqual(
      [1, 2, 3].map((page) => engine.timesRead("hanging", page)),
      [1, 1, 0]
    )
  }).pipe(Effect.provide(engine.layer))
})

it.effect("Scripted workers may take their time to start, at first and after a death", () => {
  const engine = makeScriptedEngine(
    () => ({ ...soundDocument(2), page: (page) => (page === 2 ? { _tag: "Death" } : { _tag: "Page" }) }),
    { capacity: 1, starting: "2 seconds" }
  )
  const pdf = pdfOf("late", inMemory(new Uint8Array()))
  return Effect.gen(function* () {
    const { onReady, open, read, ready } = yield* PdfEngine
    const risen: Array<number> = []
    yield* onReady(() => risen.push(ready()))
    const reading = yield* Effect.forkChild(Effect.flip(Stream.runDrain(read(pdf, [1, 2], 1))), {
      startImmediately: true
    })
    yield* TestClock.adjust("1 second")
    assert.deepStrictEqual([ready(), engine.working(), risen], [0, 0, []])
    yield* TestClock.adjust("1 second")
    yield* Fiber.join(reading)
    assert.deepStrictEqual([ready(), risen], [0, [1]])
    const opening = yield* Effect.forkChild(open(pdf), { startImmediately: true })
    yield* TestClock.adjust("1 second")
    assert.strictEqual(opening.pollUnsafe(), undefined)
    yield* TestClock.adjust("1 second")
    yield* Fiber.join(opening)
    assert.deepStrictEqual([ready(), risen], [1, [1, 1]])
  }).pipe(Effect.scoped, Effect.provide(engine.layer))
})

it.effect("A scripted death ends the call, and the script may let the next attempt live", () => {
  const engine = makeScriptedEngine(() => ({
    ...soundDocument(2),
    page: (_, before) => (before === 0 ? { _tag: "Death", memory: true } : { _tag: "Page" })
  }))
  const pdf = pdfOf("deadly", inMemory(new Uint8Array()))
  return Effect.gen(function* () {
    const { read, status } = yield* PdfEngine
    const { reason } = yield* Effect.flip(Stream.runCollect(read(pdf, [1, 2], 1)))
    assert.strictEqual(reason._tag === "WorkerDied" && reason.memory, true)
    assert.strictEqual((yield* Stream.runCollect(read(pdf, [1], 1))).length, 1)
    assert.strictEqual((yield* status).replaced, 1)
  }).pipe(Effect.provide(engine.layer))
})

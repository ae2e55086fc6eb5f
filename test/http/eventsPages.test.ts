import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber, Layer, Schema, Stream } from "effect"
import { HttpClient, HttpClientRequest } from "effect/http"
import { TestClock } from "effect/testing"
import type { DocumentId } from "../../src/domain/Ids.ts"
import { PageView } from "../../src/domain/document/Page.ts"
import { type ScriptedDocument, soundDocument } from "../../src/services/PdfEngineScripted.ts"
import { acceptedId, temporaryFolder } from "../support/service.ts"
import { type Answered, assertProblem, get, postPdf, remove } from "./client.ts"
import { eventsOf, serviceAt } from "./live.ts"

const submit = Effect.flatMap(postPdf("/v1/documents?force=true"), acceptedId)

const withService = <A, E, R>(script: ScriptedDocument, body: Effect.Effect<A, E, R>) =>
  Effect.provide(body, Layer.unwrap(Effect.map(temporaryFolder, (folder) => serviceAt(folder, () => script))))

const numbersIn = ({ json }: Answered) =>
  Array.isArray(json.pages) ? json.pages.map(({ number }: { readonly number: number }) => number) : []

/** The first page takes its time, and so does the rest; the others are never read. */
const slowly = (takes: string): ScriptedDocument => ({
  open: () => ({ _tag: "Opens", pageCount: 3 }),
  page: (number) =>
    number === 1 ? { _tag: "Page", takes: takes === "5s" ? "5 seconds" : "1 second" } : { _tag: "Hang" }
})

/** Lets time pass until the fiber has ended; a request for each step, as what goes over the network takes real time. */
const passing = Effect.fnUntraced(function* <A, E>(fiber: Fiber.Fiber<A, E>) {
  while (fiber.pollUnsafe() === undefined) {
    yield* TestClock.adjust("100 millis")
    yield* get("/health/live")
  }
  return yield* Fiber.join(fiber)
})

/** The answer, letting time pass, and how much of it went by. */
const timed = <E, R>(request: Effect.Effect<Answered, E, R>) =>
  Effect.gen(function* () {
    const from = yield* Clock.currentTimeMillis
    const answered = Effect.flatMap(request, (answer) =>
      Effect.map(Clock.currentTimeMillis, (to) => ({ answer, seconds: (to - from) / 1000 }))
    )
    return yield* passing(yield* Effect.forkChild(answered, { startImmediately: true }))
  })

describe("pages that are waited for", () => {
  it.effect("are answered with when they are there", () =>
    withService(
      slowly("5s"),
      Effect.gen(function* () {
        const id = yield* submit
        const path = `/v1/documents/${id}/pages`
        assert.deepStrictEqual((yield* get(path)).json, { pages: [] })
        const { answer, seconds } = yield* timed(get(`${path}?wait=30s`))
        assert.deepStrictEqual(numbersIn(answer), [1])
        assert.isAtLeast(seconds, 4)
        assert.isBelow(seconds, 30)
        assert.deepStrictEqual(numbersIn(yield* get(`${path}?wait=30s`)), [1])
      })
    )
  )

  it.effect("are waited for no longer than asked", () =>
    withService(
      slowly("1s"),
      Effect.gen(function* () {
        const id = yield* submit
        const path = `/v1/documents/${id}/pages`
        yield* timed(get(`${path}?wait=60`))
        const { answer, seconds } = yield* timed(get(`${path}?from=2&wait=5s`))
        assert.deepStrictEqual(answer.json, { pages: [] })
        assert.isAtLeast(seconds, 5)
        for (const wait of ["61s", "soon", "-1", "2m"]) {
          assertProblem(yield* get(`${path}?wait=${wait}`), 400, "INVALID_REQUEST")
        }
        assertProblem(yield* get(`${path}?wait=1s`, { "x-tenant-id": "globex" }), 404, "DOCUMENT_NOT_FOUND")
      })
    )
  )

  it.effect("are not waited for when none can come any more", () =>
    withService(
      slowly("1s"),
      Effect.gen(function* () {
        const id = yield* submit
        const path = `/v1/documents/${id}/pages?from=2&wait=60s`
        const waiting = yield* Effect.forkChild(get(path), { startImmediately: true })
        yield* timed(get(`/v1/documents/${id}/pages?wait=60s`))
        yield* remove(`/v1/documents/${id}`)
        const answer = yield* passing(waiting)
        assert.deepStrictEqual(answer.json, { pages: [] })
        const from = yield* Clock.currentTimeMillis
        assert.deepStrictEqual((yield* get(path)).json, { pages: [] })
        assert.strictEqual(yield* Clock.currentTimeMillis, from)
      })
    )
  )
})

describe("a stream without news", () => {
  it.effect("says so every 15 seconds", () =>
    withService(
      slowly("1s"),
      Effect.gen(function* () {
        const pings = eventsOf("/v1/events").pipe(
          Stream.filter(({ type }) => type === "ping"),
          Stream.mapEffect(() => Clock.currentTimeMillis),
          Stream.take(3),
          Stream.runCollect
        )
        const [, first, second] = yield* passing(yield* Effect.forkChild(pings, { startImmediately: true }))
        assert.isAtLeast(second ?? 0, (first ?? 0) + 14_000)
      })
    )
  )
})

const decodeLine = Schema.decodeUnknownEffect(Schema.fromJsonString(PageView))

const linesOf = (id: DocumentId, query = "") =>
  Stream.unwrap(
    Effect.map(
      HttpClient.execute(HttpClientRequest.get(`/v1/documents/${id}/pages.ndjson${query}`)),
      ({ stream }) => stream
    )
  ).pipe(
    Stream.decodeText,
    Stream.splitLines,
    // So one says that there is nothing yet.
    Stream.filter((line) => line !== ""),
    Stream.mapEffect((line) => decodeLine(line)),
    Stream.runCollect
  )

const numbersTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

describe("pages as lines", () => {
  it.live("come in order, as they are read, to the last", () =>
    withService(
      soundDocument(130, "1 millis"),
      Effect.gen(function* () {
        const id = yield* submit
        const pages = yield* linesOf(id, "?follow=true")
        assert.deepStrictEqual(
          pages.map(({ number }) => number),
          numbersTo(130)
        )
        assert.strictEqual(pages[129]?.text, "Page 130 of 130")
        assert.isFalse(pages.some((page) => "lines" in page))
        const detailed = yield* linesOf(id, "?detail=true")
        assert.deepStrictEqual(
          detailed.map(({ number }) => number),
          numbersTo(130)
        )
        assert.deepStrictEqual(detailed[0]?.lines, [])
        const answer = yield* HttpClient.get(`/v1/documents/${id}/pages.ndjson`)
        assert.strictEqual(answer.headers["content-type"], "application/x-ndjson")
        assert.strictEqual(answer.headers["cache-control"], "no-store")
      })
    )
  )

  it.effect("of a running document are those that are there, unless it is followed", () =>
    withService(
      slowly("1s"),
      Effect.gen(function* () {
        const id = yield* submit
        yield* timed(get(`/v1/documents/${id}/pages?wait=60s`))
        assert.deepStrictEqual(
          (yield* linesOf(id)).map(({ number }) => number),
          [1]
        )
        const following = yield* Effect.forkChild(linesOf(id, "?follow=true"), { startImmediately: true })
        yield* get("/health/live")
        assert.isUndefined(following.pollUnsafe())
        yield* remove(`/v1/documents/${id}`)
        assert.deepStrictEqual(
          (yield* passing(following)).map(({ number }) => number),
          [1]
        )
      })
    )
  )
})

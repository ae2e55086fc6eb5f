import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Redacted, Result } from "effect"
import { TestClock } from "effect/testing"
import { failure } from "../../src/domain/Failure.ts"
import { DownstreamFailure } from "../../src/services/downstreams/Downstreams.ts"
import { PageImageError } from "../../src/services/PageImages.ts"
import { PdfUnreadable } from "../../src/services/PdfEngine.ts"
import { assertProblem, get, postPdf, testServer } from "./client.ts"
import { alter, change, idOf, inspect } from "./fakes.ts"

const page = `/v1/documents/${idOf(1)}/pages/2`
const bytes = new TextEncoder().encode("RIFF WEBP")

const withDocument = Effect.gen(function* () {
  yield* postPdf()
  yield* alter(idOf(1), { progress: { pages: 3, done: 0, failed: 0 } })
  yield* change({ drawing: Result.succeed({ format: "webp", width: 240, height: 320, bytes }) })
})

describe("Images of pages over HTTP", () => {
  it.effect("come as they are asked for, and again only when they have changed", () =>
    Effect.gen(function* () {
      yield* withDocument
      const first = yield* get(`${page}/image?dpi=96&format=webp`, { "x-pdf-password": "secret" })
      assert.deepInclude(first, { status: 200, text: "RIFF WEBP" })
      assert.strictEqual(first.headers["content-type"], "image/webp")
      assert.strictEqual(first.headers["cache-control"], "private, no-cache")
      const again = yield* get(`${page}/image?dpi=96&format=webp`, { "if-none-match": first.headers["etag"] ?? "" })
      assert.deepInclude(again, { status: 304, text: "" })
      yield* get(`${page}/image`)
      yield* get(`${page}/thumbnail`)
      const { drawn } = yield* inspect
      assert.deepInclude(drawn[0], { size: { dpi: 96 }, format: "webp" })
      assert.strictEqual(drawn[0]?.password && Redacted.value(drawn[0].password), "secret")
      assert.deepInclude(drawn[2], { size: { dpi: 150 }, format: "png" })
      assert.deepInclude(drawn[3], { size: { width: 240 }, format: "webp" })
    }).pipe(Effect.provide(testServer))
  )

  it.effect("are refused for what is no page and for what cannot be drawn", () =>
    Effect.gen(function* () {
      yield* postPdf()
      assertProblem(yield* get(`${page}/image`), 404, "IMAGES_OFF")
      yield* withDocument
      assertProblem(yield* get(`/v1/documents/${idOf(1)}/pages/4/image`), 404, "PAGE_NOT_FOUND")
      assertProblem(yield* get(`/v1/documents/${idOf(1)}/pages/0/image`), 400, "INVALID_REQUEST")
      for (const dpi of ["9", "601", "1e2", "150.5"]) {
        assertProblem(yield* get(`${page}/image?dpi=${dpi}`), 400, "INVALID_REQUEST")
      }
      assertProblem(yield* get(`${page}/image?format=grey`), 400, "INVALID_REQUEST")
      const tooLarge = new PageImageError({ failure: failure("PAGE_TOO_LARGE", "200 megapixels"), again: false })
      yield* change({ drawing: Result.fail(tooLarge) })
      const refused = yield* get(`${page}/image`)
      assertProblem(refused, 422, "PAGE_TOO_LARGE")
      assert.strictEqual(refused.json["advice"], tooLarge.failure.advice)
      yield* change({
        drawing: Result.fail(new PageImageError({ failure: failure("CRASHED", "it died"), again: true }))
      })
      assertProblem(yield* get(`${page}/thumbnail`), 503, "CRASHED")
      yield* change({
        drawing: Result.fail(new PdfUnreadable({ failure: failure("PASSWORD_REQUIRED", "it is encrypted") }))
      })
      assertProblem(yield* get(`${page}/image`), 422, "PASSWORD_REQUIRED")
      const busy = new DownstreamFailure({
        code: "DOWNSTREAM_BUSY",
        downstream: "images",
        detail: "too many wait",
        onExhausted: "wait",
        retryAfterMillis: 1_400
      })
      yield* change({ drawing: Result.fail(busy) })
      const later = yield* get(`${page}/image`)
      assertProblem(later, 503, "DOWNSTREAM_BUSY")
      assert.strictEqual(later.headers["retry-after"], "2")
    }).pipe(Effect.provide(testServer))
  )

  it.effect("are not waited for longer than a minute", () =>
    Effect.gen(function* () {
      yield* withDocument
      yield* change({ drawing: "waits" })
      const answer = yield* Effect.forkChild(get(`${page}/image`))
      const turn = Effect.promise(() => new Promise((resume) => setImmediate(resume)))
      yield* Effect.repeat(Effect.andThen(turn, inspect), { until: ({ drawn }) => drawn.length > 0 })
      yield* turn
      yield* TestClock.adjust("60 seconds")
      const busy = yield* Fiber.join(answer)
      assertProblem(busy, 503, "IMAGES_BUSY")
      assert.isDefined(busy.headers["retry-after"])
    }).pipe(Effect.provide(testServer))
  )
})

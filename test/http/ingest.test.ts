import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { HttpBody } from "effect/http"
import { LimitReached } from "../../src/actors/Ingestion.ts"
import { linksOf } from "../../src/http/api/views/SubmitOutcome.ts"
import { badSource, change, idOf, inspect } from "./fakes.ts"
import { assertProblem, post, postJson, testServer } from "./client.ts"

const refused = (name: string) => ({
  name,
  error: {
    code: "SOURCE_REFUSED",
    message: "the source is not allowed",
    advice: "Use a path below the inbox folder, a known blob hash, or a public http(s) URL."
  }
})

describe("an ingestion by reference", () => {
  it.effect("accepts what it can and answers in the order of the request", () =>
    Effect.gen(function* () {
      const answer = yield* postJson("/pdf/ingest", {
        tenant_id: "acme",
        pdf_ids: ["a.pdf", `${badSource}x`],
        priority: 3,
        callback: "https://example.com/"
      })
      assert.strictEqual(answer.status, 202)
      const links = linksOf(idOf(1))
      assert.deepStrictEqual(answer.json, {
        accepted: true,
        queued_pdfs: 1,
        documents: [{ id: idOf(1), name: "a.pdf", status: "queued", links }, refused(`${badSource}x`)]
      })
      const [submission] = (yield* inspect).submissions
      assert.deepStrictEqual([submission?.tenant, submission?.source], ["acme", "a.pdf"])
      assert.deepStrictEqual(submission?.options, { priority: 3, callback: "https://example.com/" })
    }).pipe(Effect.provide(testServer))
  )

  it.effect("of which nothing is accepted is a problem that says so", () =>
    Effect.gen(function* () {
      const answer = yield* postJson("/pdf/ingest", { pdf_ids: [`${badSource}x`] })
      assertProblem(answer, 422, "SOURCE_REFUSED")
      assert.deepInclude(answer.json, { accepted: false, queued_pdfs: 0, documents: [refused(`${badSource}x`)] })
      yield* change({ refuse: new LimitReached({ limit: "global_queue", allowed: 4, retryAfterSeconds: 7 }) })
      const full = yield* postJson("/pdf/ingest", { pdf_ids: ["a", "b"] })
      assertProblem(full, 429, "GLOBAL_QUEUE_FULL")
      assert.isDefined(full.headers["retry-after"])
    }).pipe(Effect.provide(testServer))
  )

  it.effect("of a thousand sources accepts them all", () =>
    Effect.gen(function* () {
      const { json } = yield* postJson("/pdf/ingest", { pdf_ids: Array.from({ length: 1000 }, (_, n) => `${n}`) })
      assert.strictEqual(json.queued_pdfs, 1000)
    }).pipe(Effect.provide(testServer))
  )

  it.effect("that does not have the form is refused by the name of the field", () =>
    Effect.gen(function* () {
      for (const [body, field] of [
        [{}, "payload.pdf_ids"],
        [{ pdf_ids: [] }, "payload.pdf_ids"],
        [{ pdf_ids: Array.from({ length: 1001 }, () => "a") }, "payload.pdf_ids"],
        [{ pdf_ids: [1] }, "payload.pdf_ids.0"],
        [{ pdf_ids: ["a"], priority: 10 }, "payload.priority"],
        [{ pdf_ids: ["a"], callback: "file:///etc/passwd" }, "payload.callback"],
        [{ pdf_ids: ["a"], callback: "http://127.0.0.1:9/x" }, "payload.callback"]
      ] as const) {
        const answer = yield* postJson("/pdf/ingest", body)
        assertProblem(answer, 400, "INVALID_REQUEST")
        assert.include(String(answer.json.detail), field)
      }
      assertProblem(yield* postJson("/pdf/ingest", { tenant_id: "", pdf_ids: ["a"] }), 400, "INVALID_TENANT")
      assertProblem(yield* postJson("/pdf/ingest?password=x", { pdf_ids: ["a"] }), 400, "PASSWORD_IN_URL")
      assertProblem(yield* post("/pdf/ingest", HttpBody.text("{", "application/json")), 400, "INVALID_REQUEST")
      const untyped = yield* post("/pdf/ingest", HttpBody.text("{}", "text/plain"))
      assertProblem(untyped, 415, "UNSUPPORTED_MEDIA_TYPE")
      assert.include(String(untyped.json.advice), "content-type: application/json")
      const long = HttpBody.text("x".repeat(5 * 1024 * 1024), "application/json")
      assertProblem(yield* post("/pdf/ingest", long), 413, "BODY_TOO_LARGE")
      assert.deepStrictEqual((yield* inspect).submissions, [])
    }).pipe(Effect.provide(testServer))
  )
})

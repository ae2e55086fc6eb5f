import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, DateTime, Effect, Layer, Redacted, Stream } from "effect"
import { HttpBody } from "effect/http"
import { LimitReached, ShuttingDown } from "../../src/actors/Ingestion.ts"
import { BlobStoreUnavailable } from "../../src/services/BlobStore.ts"
import { StoreUnavailable } from "../../src/services/store/StoreErrors.ts"
import { linksOf } from "../../src/http/api/views/SubmitOutcome.ts"
import { change, idOf, inspect, uploadLimit } from "./fakes.ts"
import { assertProblem, errorNames, get, pdf, post, postForm, postPdf, rawConnection, testServer } from "./client.ts"

const accepted = (n: number, name: string, status = "queued") => ({
  id: idOf(n),
  name,
  status,
  links: linksOf(idOf(n))
})
const notPdf = (name: string) => ({
  name,
  error: {
    code: "NOT_PDF",
    message: "there is no %PDF header",
    advice: "Send a file that starts with a %PDF header."
  }
})
const html = new TextEncoder().encode("<html>")

const reached = (limit: LimitReached["limit"], allowed: number, retryAfterSeconds: number) =>
  new LimitReached({ limit, allowed, retryAfterSeconds })

describe("a PDF as the body", () => {
  it.effect("is accepted with its parameters, and its password reaches the engine wrapped", () =>
    Effect.gen(function* () {
      const answer = yield* postPdf(
        "/v1/documents?name=r%C3%A9sum%C3%A9.pdf&priority=9&notBefore=2030-05-01T12:00:00Z&callback=https://example.com/x",
        { "x-tenant-id": "acme", "x-pdf-password": "hunter2" }
      )
      assert.strictEqual(answer.status, 202)
      assert.deepStrictEqual(answer.json, { documents: [accepted(1, "résumé.pdf", "scheduled")] })
      const [submission] = (yield* inspect).submissions
      assert.strictEqual(submission?.tenant, "acme")
      const { notBefore, password, size, ...options } = submission?.options ?? {}
      assert.strictEqual(size, pdf().length)
      assert.deepStrictEqual(options, { name: "résumé.pdf", priority: 9, callback: "https://example.com/x" })
      assert.strictEqual(notBefore && DateTime.formatIso(notBefore), "2030-05-01T12:00:00.000Z")
      assert.strictEqual(password && Redacted.value(password), "hunter2")
    }).pipe(Effect.provide(testServer))
  )

  it.effect("takes its name from the query, else from the header, else a default, and never as a path", () =>
    Effect.gen(function* () {
      const nameFor = (query: string, headers: Record<string, string>) =>
        Effect.map(
          Effect.andThen(postPdf(`/v1/documents${query}`, headers, pdf(), "application/octet-stream"), inspect),
          ({ submissions }) => submissions.at(-1)?.options.name
        )
      assert.strictEqual(yield* nameFor("?name=a", { "x-file-name": "b" }), "a")
      assert.strictEqual(yield* nameFor("", { "x-file-name": "..%2F%E2%80%AE%00b%22.pdf" }), '../\u202e\0b".pdf')
      assert.strictEqual(yield* nameFor("", { "x-file-name": "100%.pdf" }), "100%.pdf")
      assert.strictEqual(yield* nameFor("", { "x-file-name": "%ff" }), "%ff")
      assert.strictEqual(yield* nameFor("", {}), "document.pdf")
    }).pipe(Effect.provide(testServer))
  )

  it.effect("streams: 20 MB arrive in many chunks", () =>
    Effect.gen(function* () {
      const size = 20 * 1024 * 1024
      const { status } = yield* postPdf("/v1/documents", {}, pdf(size))
      assert.strictEqual(status, 202)
      const chunks = (yield* inspect).submissions[0]?.chunks ?? []
      assert.strictEqual(
        chunks.reduce((sum, n) => sum + n, 0),
        size
      )
      assert.isAbove(chunks.length, 20)
      assert.isBelow(Math.max(...chunks), size / 10)
    }).pipe(Effect.provide(testServer))
  )

  it.effect("of unknown length is accepted too", () =>
    Effect.gen(function* () {
      const body = HttpBody.stream(Stream.make(pdf(), new Uint8Array(10)), "application/pdf")
      assert.strictEqual((yield* post("/v1/documents", body)).status, 202)
    }).pipe(Effect.provide(testServer))
  )

  it.effect("is refused by the status of its fault, with the list of what was refused", () =>
    Effect.gen(function* () {
      const bad = yield* postPdf("/v1/documents?name=a", {}, html)
      assertProblem(bad, 422, "NOT_PDF")
      assert.deepInclude(bad.json, { documents: [notPdf("a")], advice: notPdf("a").error.advice })
      assertProblem(yield* postPdf("/v1/documents", {}, pdf(uploadLimit + 1)), 413, "TOO_LARGE")
    }).pipe(Effect.provide(testServer))
  )

  const withCode = (code: string) => Object.assign(new Error(code), { code })

  it.effect("is refused with the time to come back when the engine takes nothing", () =>
    Effect.gen(function* () {
      for (const [refuse, status, code, retryAfter, limit] of [
        [reached("tenant_rate", 0.5, 2), 429, "TENANT_RATE_LIMITED", "2", 0.5],
        [reached("tenant_bytes", 1_000, 3), 429, "TENANT_BYTES_IN_FLIGHT", "3", 1_000],
        [reached("global_bytes", 2_000, 4), 429, "GLOBAL_BYTES_IN_FLIGHT", "4", 2_000],
        [reached("tenant_queue", 2, 7), 429, "TENANT_QUEUE_FULL", "7", 2],
        [reached("global_queue", 3, 300), 429, "GLOBAL_QUEUE_FULL", "300", 3],
        [new ShuttingDown(), 503, "SHUTTING_DOWN", "5", undefined],
        [new StoreUnavailable({ operation: "x", cause: "c" }), 503, "STORE_UNAVAILABLE", "5", undefined],
        [new BlobStoreUnavailable({ operation: "x", cause: "c" }), 503, "BLOB_STORE_UNAVAILABLE", "5", undefined],
        [new BlobStoreUnavailable({ operation: "x", cause: withCode("ENOSPC") }), 503, "STORAGE_FULL", "5", undefined],
        [
          new BlobStoreUnavailable({ operation: "x", cause: withCode("EIO") }),
          503,
          "BLOB_STORE_UNAVAILABLE",
          "5",
          undefined
        ]
      ] as const) {
        yield* change({ refuse })
        const answer = yield* postPdf()
        assertProblem(answer, status, code)
        assert.strictEqual(answer.headers["retry-after"], retryAfter)
        assert.strictEqual(answer.json.limit, limit)
        assert.strictEqual(String(answer.json.retryAfter), retryAfter)
      }
    }).pipe(Effect.provide(testServer))
  )

  it.effect("is refused when a parameter is wrong, by its name", () =>
    Effect.gen(function* () {
      for (const [query, field] of [
        ["priority=10", "query.priority"],
        ["priority=high", "query.priority"],
        ["notBefore=tomorrow", "query.notBefore"],
        ["callback=ftp://example.com", "query.callback"],
        ["callback=nonsense", "query.callback"],
        ["callback=http://127.0.0.1:9/x", "query.callback"],
        ["callback=http://[::1]/", "query.callback"],
        ["callback=http://user:hunter2@example.com/", "query.callback"],
        ["callback=http://example.com:0/", "query.callback"],
        ["callback=http://api.localhost/", "query.callback"]
      ] as const) {
        const answer = yield* postPdf(`/v1/documents?${query}`)
        assertProblem(answer, 400, "INVALID_REQUEST")
        assert.include(String(answer.json.detail), field)
        assert.notInclude(answer.text, "hunter2")
      }
      assertProblem(yield* postPdf("/v1/documents?password=x"), 400, "PASSWORD_IN_URL")
      const mangled = yield* postPdf("/v1/documents", { "x-pdf-password": "p\xe4ss" })
      assertProblem(mangled, 400, "INVALID_REQUEST")
      assert.include(String(mangled.json.detail), "x-pdf-password")
      assert.include(String(mangled.json.detail), "multipart field password")
      assert.notInclude(mangled.text, "p\xe4ss")
      const long = yield* postPdf("/v1/documents", { "x-pdf-password": "p".repeat(1025) })
      assertProblem(long, 400, "INVALID_REQUEST")
      assert.notInclude(long.text, "ppp")
      assert.deepStrictEqual((yield* inspect).submissions, [])
    }).pipe(Effect.provide(testServer))
  )

  it.effect("is named by UTF-8 in a header as by percent-encoding, and refused by bytes that are neither", () =>
    Effect.gen(function* () {
      const bytes = (text: string) => Buffer.from(text).toString("latin1")
      for (const [header, name] of [
        [bytes("größe.pdf"), "größe.pdf"],
        ["gr%C3%B6%C3%9Fe.pdf", "größe.pdf"],
        ["100%.pdf", "100%.pdf"]
      ] as const) {
        const answer = yield* postPdf("/v1/documents", { "x-file-name": header })
        assert.deepNestedInclude(answer.json, { "documents[0].name": name })
      }
      const mangled = yield* postPdf("/v1/documents", { "x-file-name": "gr\xf6\xdfe.pdf" })
      assertProblem(mangled, 400, "INVALID_REQUEST")
      assert.deepStrictEqual(errorNames(mangled), ["headers.x-file-name"])
    }).pipe(Effect.provide(testServer))
  )

  it.effect("may name a callback in a private network if that is allowed, in the head and in a form", () =>
    Effect.gen(function* () {
      const file = ["file", pdf(), "a.pdf"] as const
      for (const callback of ["http://10.1.2.3:8080/ends", "http://localhost/", "https://[fd00::1]/"]) {
        assert.strictEqual((yield* postPdf(`/v1/documents?callback=${callback}`)).status, 202, callback)
        assert.strictEqual((yield* postForm([["callback", callback], file])).status, 202, callback)
      }
      for (const callback of ["http://10.2.2.3:8080/ends", "http://127.0.0.1/", "http://169.254.169.254/latest"]) {
        const head = yield* postPdf(`/v1/documents?callback=${callback}`)
        assertProblem(head, 400, "INVALID_REQUEST")
        assert.deepStrictEqual(head.json["errors"], [
          { field: "query.callback", in: "query", name: "callback", message: "the host is not public" }
        ])
        const form = yield* postForm([["callback", callback], file])
        assertProblem(form, 400, "INVALID_REQUEST")
        assert.deepStrictEqual(form.json["errors"], [
          { field: "form.callback", in: "form", name: "callback", message: "the host is not public" }
        ])
      }
    }).pipe(
      Effect.provide(
        testServer.pipe(
          Layer.provide(
            ConfigProvider.layer(
              ConfigProvider.fromEnv({
                env: { ALLOW_PRIVATE_WEBHOOKS: "10.1.0.0/16:8080, localhost, fd00::/8, 169.254.0.0/16" }
              })
            )
          )
        )
      )
    )
  )

  it.effect("of another type is refused", () =>
    Effect.gen(function* () {
      assertProblem(yield* postPdf("/v1/documents", {}, pdf(), "text/html"), 415, "UNSUPPORTED_MEDIA_TYPE")
      assertProblem(yield* post("/v1/documents", HttpBody.empty), 415, "UNSUPPORTED_MEDIA_TYPE")
    }).pipe(Effect.provide(testServer))
  )

  it.effect("that a page of another site makes a browser send is refused", () =>
    Effect.gen(function* () {}).pipe(Effect.provide(testServer))
  )

  it.effect("of a tenant whose id is not valid is refused, wherever the id stands", () =>
    Effect.gen(function* () {
      assertProblem(yield* postPdf("/v1/documents", { "x-tenant-id": "../etc" }), 400, "INVALID_TENANT")
      assertProblem(yield* postPdf("/v1/documents?tenant_id=a%20b"), 400, "INVALID_TENANT")
      assertProblem(yield* postPdf("/v1/documents?tenant_id=a&tenant_id=b"), 400, "INVALID_TENANT")
      assertProblem(
        yield* postForm([
          ["tenant_id", "-"],
          ["file", pdf(), "a.pdf"]
        ]),
        400,
        "INVALID_TENANT"
      )
    }).pipe(Effect.provide(testServer))
  )
})

describe("a form", () => {
  it.effect("of three files with a bad one accepts the other two", () =>
    Effect.gen(function* () {
      const answer = yield* postForm([
        ["file", pdf(), "a.pdf"],
        ["file", html, "b.pdf"],
        ["file", pdf(200_000), "c.pdf"]
      ])
      assert.strictEqual(answer.status, 202)
      assert.deepStrictEqual(answer.json, { documents: [accepted(1, "a.pdf"), notPdf("b.pdf"), accepted(2, "c.pdf")] })
    }).pipe(Effect.provide(testServer))
  )

  it.effect("goes on behind a file that is too large", () =>
    Effect.gen(function* () {
      const answer = yield* postForm([
        ["file", pdf(uploadLimit + 5_000_000), "a.pdf"],
        ["file", pdf(), "b.pdf"]
      ])
      assert.strictEqual(answer.status, 202)
      const refused = {
        name: "a.pdf",
        error: {
          code: "TOO_LARGE",
          message: `more than ${uploadLimit} bytes`,
          advice: "Split the file, or raise MAX_UPLOAD_SIZE."
        }
      }
      assert.deepStrictEqual(answer.json, { documents: [refused, accepted(1, "b.pdf")] })
    }).pipe(Effect.provide(testServer))
  )

  it.effect("gives its fields to all its files, before those of the query", () =>
    Effect.gen(function* () {
      const { status } = yield* postForm(
        [
          ["tenant_id", "acme"],
          ["priority", "1"],
          ["callback", "https://example.com/"],
          ["password", "pässword"],
          ["file", pdf(), "a.pdf"],
          ["file", pdf(), "b.pdf"]
        ],
        {},
        "/v1/documents?priority=8&notBefore=2030-01-01T00:00:00Z"
      )
      assert.strictEqual(status, 202)
      const { submissions } = yield* inspect
      assert.strictEqual(submissions.length, 2)
      for (const { options, tenant } of submissions) {
        assert.strictEqual(tenant, "acme")
        assert.strictEqual(options.priority, 1)
        assert.strictEqual(options.callback, "https://example.com/")
        assert.strictEqual(options.notBefore && DateTime.formatIso(options.notBefore), "2030-01-01T00:00:00.000Z")
        assert.strictEqual(options.password && Redacted.value(options.password), "pässword")
      }
    }).pipe(Effect.provide(testServer))
  )

  it.effect("cannot change the tenant that the header names", () =>
    Effect.gen(function* () {
      yield* postForm(
        [
          ["tenant_id", "rival"],
          ["file", pdf(), "a.pdf"]
        ],
        { "x-tenant-id": "acme" }
      )
      assert.strictEqual((yield* inspect).submissions[0]?.tenant, "acme")
    }).pipe(Effect.provide(testServer))
  )

  it.effect("with a wrong field is refused by its name", () =>
    Effect.gen(function* () {
      const answer = yield* postForm([
        ["priority", "11"],
        ["file", pdf(), "a.pdf"]
      ])
      assertProblem(answer, 400, "INVALID_REQUEST")
      assert.include(String(answer.json.detail), "form.priority")
      const secret = yield* postForm([
        ["password", "p".repeat(1025)],
        ["file", pdf(), "a.pdf"]
      ])
      assertProblem(secret, 400, "INVALID_REQUEST")
      assert.notInclude(secret.text, "ppp")
      assertProblem(
        yield* postForm([
          ["priority", "1".repeat(10_000)],
          ["file", pdf(), "a.pdf"]
        ]),
        413,
        "FIELD_TOO_LARGE"
      )
    }).pipe(Effect.provide(testServer))
  )

  it.effect("with fields that are unknown, there twice or wrong is refused for all of them", () =>
    Effect.gen(function* () {
      const answer = yield* postForm([
        ["Priority", "1"],
        ["force", "yes"],
        ["callback", "https://example.com/a"],
        ["callback", "https://example.com/b"],
        ["notBefore", "2030-02-30"],
        ["__proto__", "x"],
        ["tenant_id", "a b"],
        ["file", pdf(), "a.pdf"]
      ])
      assertProblem(answer, 400, "INVALID_REQUEST")
      assert.deepStrictEqual(errorNames(answer), [
        "form.Priority",
        "form.__proto__",
        "form.callback",
        "form.force",
        "form.notBefore",
        "form.tenant_id"
      ])
      assert.include(answer.text, "did you mean priority?")
      assert.include(answer.text, "several times")
      assert.strictEqual((yield* inspect).submissions.length, 0)
      const unread = yield* postForm([["pasword", "secret"]])
      assertProblem(unread, 400, "INVALID_REQUEST")
      assert.notInclude(unread.text, "secret")
      const tenant = yield* postForm([
        ["tenant_id", "a b"],
        ["file", pdf(), "a.pdf"]
      ])
      assertProblem(tenant, 400, "INVALID_TENANT")
      const many = Array.from({ length: 2000 }, (_, n) => [`field${n}`, ""] as const)
      const flood = yield* postForm([...many, ["file", pdf(), "a.pdf"]])
      assertProblem(flood, 400, "INVALID_REQUEST")
      // It was read no further than the fiftieth field, and names no more than twenty.
      assert.strictEqual(errorNames(flood).length, 20)
      assert.match(String(flood.json["detail"]), /; and 30 more$/)
    }).pipe(Effect.provide(testServer))
  )

  it.effect(
    "of parts without end is refused while they come: fields at the fiftieth, files at the limit of parts",
    () =>
      Effect.gen(function* () {
        const head = (length: string) =>
          `POST /v1/documents HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\n${length}\r\n\r\n`
        const part = (disposition: string, extra = "") =>
          `--b\r\nContent-Disposition: form-data; ${disposition}\r\n${extra}\r\n\r\n`
        const endless = head(`Content-Length: ${1024 ** 4}`)
        for (const [parts, status, code] of [
          [part('name="x"').repeat(51), 400, "INVALID_REQUEST"],
          [part(`name="${"n".repeat(10_000)}"`).repeat(51), 400, "INVALID_REQUEST"],
          [part('name="x"', "x-y: z\r\n".repeat(200)), 400, "MALFORMED_MULTIPART"],
          [part('name="x"', `x-y: ${"z".repeat(20_000)}\r\n`), 400, "MALFORMED_MULTIPART"],
          [part('name="other"; filename="x"').repeat(10_001), 413, "TOO_MANY_PARTS"]
        ] as const) {
          const connection = yield* rawConnection
          yield* connection.write(endless + parts)
          const answer = yield* connection.arrived
          assert.match(answer, new RegExp(`^HTTP/1.1 ${status} `), code)
          assert.include(answer, `"code":"${code}"`)
          yield* connection.cut
        }
      }).pipe(Effect.provide(testServer))
  )

  it.effect("with a file that has no name is refused for that, not without a word", () =>
    Effect.gen(function* () {
      const { json, status } = yield* postForm([
        ["file", "%PDF-1.7"],
        ["file", pdf(), "a.pdf"]
      ])
      assert.strictEqual(status, 202)
      assert.deepNestedInclude(json, { "documents[0].error.code": "NO_FILE", "documents[1].name": "a.pdf" })
      assertProblem(yield* postForm([["file", "%PDF-1.7"]]), 422, "NO_FILE")
    }).pipe(Effect.provide(testServer))
  )

  it.effect("without a file is refused", () =>
    Effect.gen(function* () {
      assertProblem(yield* postForm([["priority", "1"]]), 422, "NO_FILE")
      assertProblem(yield* postForm([["file", new Uint8Array(), ""]]), 422, "NO_FILE")
      const misnamed = yield* postForm([["document", pdf(), "a.pdf"]])
      assertProblem(misnamed, 422, "UNKNOWN_PART")
    }).pipe(Effect.provide(testServer))
  )

  it.effect("with a field behind a file keeps nothing", () =>
    Effect.gen(function* () {
      const answer = yield* postForm([
        ["file", pdf(), "a.pdf"],
        ["priority", "1"]
      ])
      assertProblem(answer, 400, "FIELD_AFTER_FILE")
      assert.strictEqual((yield* inspect).documents.size, 0)
    }).pipe(Effect.provide(testServer))
  )

  it.effect("that is malformed keeps nothing", () =>
    Effect.gen(function* () {
      const part = (name: string) =>
        `--b\r\ncontent-disposition: form-data; name="file"; filename="${name}"\r\n\r\n%PDF-1.7\r\n`
      const cut = HttpBody.text(part("a.pdf") + part("b.pdf"), "multipart/form-data; boundary=b")
      assertProblem(yield* post("/v1/documents", cut), 400, "MALFORMED_MULTIPART")
      assert.strictEqual((yield* inspect).documents.size, 0)
      const none = HttpBody.text(part("a.pdf"), "multipart/form-data")
      assertProblem(yield* post("/v1/documents", none), 400, "MALFORMED_MULTIPART")
    }).pipe(Effect.provide(testServer))
  )

  it.effect("of which nothing is accepted is answered like its first refusal, and names every file", () =>
    Effect.gen(function* () {
      yield* change({ refuse: reached("tenant_queue", 2, 7) })
      const answer = yield* postForm([
        ["file", pdf(), "a.pdf"],
        ["file", pdf(), "b.pdf"]
      ])
      assertProblem(answer, 429, "TENANT_QUEUE_FULL")
      const error = {
        code: "TENANT_QUEUE_FULL",
        message: "the tenant queue holds its limit of 2 documents",
        advice: "Try again after the time in Retry-After.",
        limit: 2,
        retryAfter: 7
      }
      assert.deepInclude(answer.json, {
        documents: [
          { name: "a.pdf", error },
          { name: "b.pdf", error }
        ]
      })
    }).pipe(Effect.provide(testServer))
  )

  it.effect("with many small files does not run ahead of the engine", () =>
    Effect.gen(function* () {
      const files = Array.from({ length: 300 }, (_, n) => ["file", pdf(2000), `${n}.pdf`] as const)
      const { status } = yield* postForm(files)
      assert.strictEqual(status, 202)
      assert.strictEqual((yield* inspect).documents.size, 300)
      assert.strictEqual((yield* get("/v1/documents?limit=200")).status, 200)
    }).pipe(Effect.provide(testServer))
  )
})

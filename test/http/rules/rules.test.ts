import { assert, describe, it } from "@effect/vitest"
import { Effect, SchemaAST } from "effect"
import { HttpBody, type HttpMethod, HttpClientRequest } from "effect/http"
import { HttpApi } from "effect/http-api"
import { TestClock } from "effect/testing"
import { Api } from "../../../src/http/api/Api.ts"
import {
  type Answered,
  assertProblem,
  errorNames,
  get,
  patchJson,
  pdf,
  post,
  postJson,
  postPdf,
  rawConnection,
  send,
  testServer
} from "../client.ts"
import { alter, idOf, inspect } from "../fakes.ts"

const id = "01900000-0000-7000-8000-000000000001"
const placeholders: Readonly<Record<string, string>> = {
  id,
  n: "1",
  tenant: "acme",
  name: "ocr",
  stage: "ocr",
  key: "0123456789abcdef"
}

interface Operation {
  readonly method: HttpMethod.HttpMethod
  readonly path: string
  readonly takesJson: boolean
  readonly takesBody: boolean
  readonly hasQuery: boolean
}

const operations: ReadonlyArray<Operation> = (() => {
  const found: Array<Operation> = []
  HttpApi.reflect(Api, {
    onGroup: () => {},
    onEndpoint: ({ endpoint }) => {
      found.push({
        method: endpoint.method,
        path: endpoint.path.replace(/:(\w+)/g, (_, name: string) => placeholders[name] ?? ""),
        takesJson: endpoint.payload.has("application/json"),
        takesBody: endpoint.payload.size > 0,
        hasQuery: endpoint.query !== undefined
      })
    }
  })
  return found
})()

/** Texts that JavaScript reads as numbers; no program writes a whole number so. */
const otherNumbers = ["1e2", "+5", "05", " 5", "5 ", "5.0", "0x5", "-0", "5e0", "1_0", "٥"]

/** The parameters of each endpoint that are numbers, by method and path. */
const numbersIn = (part: "query" | "headers") => {
  const found: Array<readonly [HttpMethod.HttpMethod, string, ReadonlyArray<string>]> = []
  HttpApi.reflect(Api, {
    onGroup: () => {},
    onEndpoint: ({ endpoint }) => {
      const ast = endpoint[part]?.ast
      if (ast === undefined || !SchemaAST.isObjects(ast)) return
      const names = ast.propertySignatures
        .filter(({ type }) => SchemaAST.isNumber(SchemaAST.toType(type)))
        .map(({ name }) => String(name))
      const path = endpoint.path.replace(/:(\w+)/g, (_, name: string) => placeholders[name] ?? "")
      found.push([endpoint.method, path, names])
    }
  })
  return found
}

const json = (text: string | Uint8Array, contentType = "application/json") =>
  typeof text === "string" ? HttpBody.text(text, contentType) : HttpBody.uint8Array(text, contentType)

const ask = ({ method, path }: Operation, query: string, body: HttpBody.HttpBody = HttpBody.empty, headers = {}) =>
  send(HttpClientRequest.make(method)(`${path}${query}`, { body, headers }))

const messageOf = (answer: Answered, field: string): string => {
  const errors: ReadonlyArray<unknown> = Array.isArray(answer.json["errors"]) ? answer.json["errors"] : []
  return String(Object(errors.find((error) => Object(error).field === field)).message)
}

describe("A query", () => {
  it.effect("that has what an endpoint does not know is refused everywhere, with what it knows", () =>
    Effect.gen(function* () {
      const asked = operations.filter(({ hasQuery }) => hasQuery)
      assert.isAbove(asked.length, 25)
      for (const operation of asked) {
        const answer = yield* ask(operation, "?tenant_di=acme&x=s3cret&x=y&__proto__=z")
        assertProblem(answer, 400, "INVALID_REQUEST")
        const title = `${operation.method} ${operation.path}`
        assert.includeMembers([...errorNames(answer)], ["query.__proto__", "query.tenant_di", "query.x"], title)
        assert.match(messageOf(answer, "query.tenant_di"), /did you mean tenant_id\?.*known are .*tenant_id/, title)
        assert.notInclude(answer.text, "s3cret", title)
      }
      assert.deepStrictEqual((yield* inspect).submissions, [])
    }).pipe(Effect.provide(testServer))
  )

  it.effect("of a scraper, a probe or a reader of the description is not looked at", () =>
    Effect.gen(function* () {
      for (const path of [
        "/metrics?name[]=up&name[]=down",
        "/health/live?x=1",
        "/openapi.json?v=2",
        "/docs?x",
        "/?utm=1"
      ]) {
        assert.strictEqual((yield* get(path)).status, 200, path)
      }
    }).pipe(Effect.provide(testServer))
  )

  it.effect("that has a parameter twice is refused by its name, but for states", () =>
    Effect.gen(function* () {
      const answer = yield* get("/v1/documents?limit=1&limit=2&cursor=x")
      assertProblem(answer, 400, "INVALID_REQUEST")
      assert.strictEqual(messageOf(answer, "query.limit"), "Expected once; it is there several times")
      assert.deepStrictEqual(errorNames(answer), ["query.cursor", "query.limit"])
      assertProblem(yield* get("/v1/documents?tenant_id=a&tenant_id=b"), 400, "INVALID_TENANT")
    }).pipe(Effect.provide(testServer))
  )

  it.effect("that has a number in another form than digits is refused by the parameter's name, at every endpoint", () =>
    Effect.gen(function* () {
      let seen = 0
      for (const [method, path, names] of numbersIn("query")) {
        for (const name of names) {
          for (const text of otherNumbers) {
            const answer = yield* send(HttpClientRequest.make(method)(`${path}?${name}=${encodeURIComponent(text)}`))
            assertProblem(answer, 400, "INVALID_REQUEST")
            assert.deepStrictEqual(errorNames(answer), [`query.${name}`], `${path} ${text}`)
            assert.include(messageOf(answer, `query.${name}`), "digits")
            seen++
          }
        }
      }
      for (const [method, path, names] of numbersIn("headers")) {
        for (const name of names) {
          const answer = yield* send(HttpClientRequest.make(method)(path, { headers: { [name]: "1e2" } }))
          assertProblem(answer, 400, "INVALID_REQUEST")
          seen++
        }
      }
      for (const text of otherNumbers) {
        assertProblem(yield* get(`/v1/documents/${id}/pages/${encodeURIComponent(text)}`), 400, "INVALID_REQUEST")
      }
      assert.isAbove(seen, 100)
    }).pipe(Effect.provide(testServer))
  )

  it.effect("takes several states, with commas or repeated, and refuses what is none", () =>
    Effect.gen(function* () {
      for (const [n, status] of (["queued", "running", "partial", "failed", "completed"] as const).entries()) {
        yield* postPdf()
        yield* alter(idOf(n + 1), { status })
      }
      const listed = Effect.fnUntraced(function* (query: string) {
        const answer = yield* get(`/v1/documents?${query}`)
        assert.strictEqual(answer.status, 200, answer.text)
        const { documents } = JSON.parse(answer.text)
        return Array.isArray(documents) ? documents.map(({ id }) => id) : undefined
      })
      const both = [idOf(4), idOf(3)]
      for (const query of [
        "status=failed,partial",
        "status=partial&status=failed",
        "status=partial,failed&status=failed",
        "status=failed%2Cpartial"
      ]) {
        assert.deepStrictEqual(yield* listed(query), both, query)
      }
      assert.deepStrictEqual(yield* listed("status=failed,partial&limit=1"), [idOf(4)])
      assert.deepStrictEqual(yield* listed("status=queued"), [idOf(1)])
      for (const query of [
        "status=",
        "status=failed,",
        "status=failed,lost",
        "status=Failed",
        "status=failed;partial"
      ]) {
        const answer = yield* get(`/v1/documents?${query}`)
        assertProblem(answer, 400, "INVALID_REQUEST")
        assert.deepStrictEqual(errorNames(answer), ["query.status"], query)
      }
    }).pipe(Effect.provide(testServer))
  )

  it.effect("and everything else that is wrong with a request are told in one answer", () =>
    Effect.gen(function* () {
      const upload = yield* postPdf("/v1/documents?priority=10&notBefore=2030-02-30&force=1&nam=x", {
        "idempotency-key": "with space",
        "x-pdf-password": "ä",
        "x-tenant-id": "not a tenant"
      })
      assertProblem(upload, 400, "INVALID_REQUEST")
      assert.deepStrictEqual(errorNames(upload), [
        "headers.idempotency-key",
        "headers.x-pdf-password",
        "headers.x-tenant-id",
        "query.force",
        "query.nam",
        "query.notBefore",
        "query.priority"
      ])
      const change = yield* patchJson("/v1/tenants/not%20one?scope=all", { weight: -1, rat: 5, paused: "no" })
      assertProblem(change, 400, "INVALID_REQUEST")
      assert.deepStrictEqual(errorNames(change), [
        "params.tenant",
        "payload.paused",
        "payload.rat",
        "payload.weight",
        "query.scope"
      ])
      assert.include(messageOf(change, "payload.rat"), "did you mean rate?")
      const ingest = yield* post("/pdf/ingest?x=1", json("{"), { "x-tenant-id": "a b" })
      assertProblem(ingest, 400, "INVALID_REQUEST")
      assert.deepStrictEqual(errorNames(ingest), ["headers.x-tenant-id", "payload", "query.x"])
      // With nothing else that is wrong, the codes that there always were.
      assertProblem(yield* get("/v1/documents", { "x-tenant-id": "a b" }), 400, "INVALID_TENANT")
      for (const path of ["/v1/documents", "/queue/status", `/v1/documents/${id}/text`]) {
        const answer = yield* get(`${path}?password=s3cret&x=1`)
        assertProblem(answer, 400, "PASSWORD_IN_URL")
        assert.deepStrictEqual(errorNames(answer), ["query.password", "query.x"])
        assert.notInclude(answer.text, "s3cret")
      }
      assert.deepStrictEqual((yield* inspect).submissions, [])
    }).pipe(Effect.provide(testServer))
  )

  it.effect("of hundreds of names is refused before it is read", () =>
    Effect.gen(function* () {
      const many = Array.from({ length: 2000 }, (_, n) => `a${n}`).join("&")
      for (const query of [many, "&".repeat(5000), "limit=1&".repeat(101)]) {
        const answer = yield* get(`/v1/documents?${query}`)
        assertProblem(answer, 400, "INVALID_REQUEST")
        assert.deepStrictEqual(answer.json["errors"], [
          { field: "query", in: "query", name: "", message: "has more than 100 parameters" }
        ])
      }
      const some = yield* get(`/v1/documents?${many.split("&").slice(0, 90).join("&")}&${"n".repeat(9000)}=1`)
      assertProblem(some, 400, "INVALID_REQUEST")
      assert.strictEqual(errorNames(some).length, 20)
      assert.match(String(some.json["detail"]), /; and 71 more$/)
      assert.isBelow(some.text.length, 8000)
    }).pipe(Effect.provide(testServer))
  )
})

describe("A target", () => {
  it.effect("that cannot be decoded is refused for that, whatever the route", () =>
    Effect.gen(function* () {
      for (const [target, part] of [
        ["/v1/documents/%", "params"],
        ["/v1/documents/%zz", "params"],
        ["/v1/documents/%ff", "params"],
        ["/v1/documents/%c3%28/text", "params"],
        ["/v1/tenants/%E0%A4%A/keys", "params"],
        ["/nowhere/%", "params"],
        ["/metrics%", "params"],
        ["/v1/documents?status=%", "query"],
        ["/v1/documents?%gg=1", "query"],
        ["/v1/documents?cursor=%ed%a0%80", "query"],
        ["/v1/documents/..%2f%80", "params"]
      ] as const) {
        const connection = yield* rawConnection
        yield* connection.write(
          Buffer.from(`GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`, "latin1")
        )
        const answer = yield* connection.answer
        assert.match(answer, /^HTTP\/1\.1 400 /, target)
        assert.include(answer, '"code":"INVALID_REQUEST"', target)
        assert.include(answer, `"field":"${part}"`, target)
      }
    }).pipe(Effect.provide(testServer))
  )

  it.effect("that has a longer part than any id names no other method", () =>
    Effect.gen(function* () {
      const answer = yield* get(`/v1/documents/${"a".repeat(500)}`)
      assertProblem(answer, 400, "INVALID_REQUEST")
      const other = yield* send(HttpClientRequest.patch(`/v1/documents/${"a".repeat(500)}`))
      assertProblem(other, 405, "METHOD_NOT_ALLOWED")
      assertProblem(yield* send(HttpClientRequest.patch(`/v1/documents/${id}`)), 405, "METHOD_NOT_ALLOWED")
    }).pipe(Effect.provide(testServer))
  )
})

describe("A body", () => {
  it.effect("is refused where there is nothing to say in one", () =>
    Effect.gen(function* () {
      const without = operations.filter(({ takesBody }) => !takesBody)
      assert.isAbove(without.length, 20)
      for (const operation of without) {
        const title = `${operation.method} ${operation.path}`
        const connection = yield* rawConnection
        yield* connection.write(
          `${operation.method} ${operation.path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n` +
            'Content-Length: 16\r\nConnection: close\r\n\r\n{"paused":false}'
        )
        const answer = yield* connection.answer
        assert.match(answer, /^HTTP\/1\.1 400 /, title)
        assert.include(answer, "BODY_NOT_EXPECTED", title)
      }
    }).pipe(Effect.provide(testServer))
  )

  it.effect("that is encoded is refused with what is taken, and never unpacked", () =>
    Effect.gen(function* () {
      for (const operation of operations.filter(({ takesBody }) => takesBody)) {
        for (const coding of ["gzip", "br", "GZIP", "identity, gzip", "deflate", "x-unknown"]) {
          const type = operation.takesJson ? "application/json" : "application/pdf"
          const answer = yield* ask(operation, "", HttpBody.uint8Array(pdf(), type), { "content-encoding": coding })
          assertProblem(answer, 415, "UNSUPPORTED_ENCODING")
          assert.strictEqual(answer.headers["accept-encoding"], "identity")
        }
      }
      const coded = yield* rawConnection
      yield* coded.write(
        "POST /v1/documents HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/pdf\r\n" +
          "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"
      )
      assert.match(yield* coded.arrived, /^HTTP\/1\.1 415 [^]*UNSUPPORTED_ENCODING/)
      assert.strictEqual((yield* postPdf("/v1/documents", { "content-encoding": "identity" })).status, 202)
      assertProblem(yield* postPdf("/v1/documents", { "content-range": "bytes 0-63/128" }), 400, "INVALID_REQUEST")
      assert.strictEqual((yield* inspect).submissions.length, 1)
    }).pipe(Effect.provide(testServer))
  )

  it.effect("that is no JSON in UTF-8 is refused for what it is", () =>
    Effect.gen(function* () {
      const put = (body: HttpBody.HttpBody) => send(HttpClientRequest.put("/v1/webhook", { body }))
      const url = '{"url":"https://example.com/"}'
      for (const [body, status, code, message] of [
        [json(url, "text/plain"), 415, "UNSUPPORTED_MEDIA_TYPE", ""],
        [json(url, "application/x-www-form-urlencoded"), 415, "UNSUPPORTED_MEDIA_TYPE", ""],
        [json(url, "application/json; charset=iso-8859-1"), 415, "UNSUPPORTED_CHARSET", ""],
        [json(url, 'application/json; charset="utf-16"'), 415, "UNSUPPORTED_CHARSET", ""],
        [json(Buffer.from(url, "utf16le")), 400, "INVALID_REQUEST", "Expected a valid JSON body"],
        [json(Buffer.from([0xff, 0xfe, ...Buffer.from(url, "utf16le")])), 400, "INVALID_REQUEST", "is not UTF-8"],
        [json(Buffer.from('{"url":"https://ex\xe4mple.com/"}', "latin1")), 400, "INVALID_REQUEST", "is not UTF-8"],
        [json("  "), 400, "INVALID_REQUEST", "Expected a valid JSON body"],
        [json("{"), 400, "INVALID_REQUEST", "Expected a valid JSON body"],
        [json(`${url}{}`), 400, "INVALID_REQUEST", "Expected a valid JSON body"],
        [json('{"url":null,"url":null}'), 400, "INVALID_REQUEST", "has a name twice in one object: url"],
        [json("[".repeat(9)), 400, "INVALID_REQUEST", "is nested deeper than 8 levels"],
        [json(`[${"1,".repeat(500)}1]`), 400, "INVALID_REQUEST", "has more than 200 values"],
        [json(`{"url":${"9".repeat(10_000)}}`), 400, "INVALID_REQUEST", "has a number of more than 40 characters"],
        [HttpBody.empty, 400, "INVALID_REQUEST", "Missing; a JSON object is expected"]
      ] as const) {
        const answer = yield* put(body)
        assertProblem(answer, status, code)
        if (message !== "") assert.strictEqual(messageOf(answer, "payload"), message)
      }
      for (const body of [
        json(url, "Application/JSON; charset=UTF-8"),
        json(url, 'application/json;charset="utf-8"'),
        json(`\uFEFF${url}`),
        json(' {"url" : null} ')
      ]) {
        const answer = yield* put(body)
        assert.strictEqual(answer.status, 200, answer.text)
      }
    }).pipe(Effect.provide(testServer))
  )

  it.effect("of brackets alone is refused before it is parsed, where many ids may be sent, too", () =>
    Effect.gen(function* () {
      const answer = yield* post("/pdf/ingest", json("[".repeat(3_800_000)))
      assertProblem(answer, 400, "INVALID_REQUEST")
      assert.strictEqual(messageOf(answer, "payload"), "is nested deeper than 4 levels")
      const wide = yield* post("/pdf/ingest", json(`{"pdf_ids":[${'"",'.repeat(10_000)}""]}`))
      assert.strictEqual(messageOf(wide, "payload"), "has more than 4000 values")
      const unknown = yield* postJson("/pdf/ingest", { pdf_ids: ["a.pdf"], priorty: 1, forced: true })
      assertProblem(unknown, 400, "INVALID_REQUEST")
      assert.deepStrictEqual(errorNames(unknown), ["payload.forced", "payload.priorty"])
      assert.include(messageOf(unknown, "payload.priorty"), "did you mean priority?")
    }).pipe(Effect.provide(testServer))
  )

  it.effect(
    "that is announced to be large is refused before any of it has come, and one that grows large on its way",
    () =>
      Effect.gen(function* () {
        for (const operation of operations.filter(({ takesJson }) => takesJson)) {
          const title = `${operation.method} ${operation.path}`
          const isLong = operation.path === "/pdf/ingest"
          const limit = isLong ? 4 * 1024 * 1024 : 16 * 1024
          const head = `${operation.method} ${operation.path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`
          const announced = yield* rawConnection
          yield* announced.write(`${head}Content-Length: ${limit + 1}\r\n\r\n`)
          const answer = yield* announced.arrived
          assert.match(answer, /^HTTP\/1\.1 413 /, title)
          assert.include(answer, `"limit":${limit}`, title)
          yield* announced.cut
          const growing = yield* rawConnection
          yield* growing.write(`${head}Transfer-Encoding: chunked\r\n\r\nffffffff\r\n`)
          yield* growing.flood
          assert.match(yield* growing.arrived, /^HTTP\/1\.1 413 /, title)
          yield* growing.cut
        }
      }).pipe(Effect.provide(testServer))
  )

  it.effect("that is large has room with eight of its caller; with none more until one was answered or broke off", () =>
    Effect.gen(function* () {
      const head =
        "POST /pdf/ingest HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"
      const large = () => post("/pdf/ingest", json(`{"pdf_ids":["a.pdf"]${" ".repeat(70_000)}}`))
      const open = Effect.gen(function* () {
        const connection = yield* rawConnection
        yield* connection.write(`${head}{"pdf_ids":`)
        return connection
      })
      const held = yield* Effect.all(Array.from({ length: 8 }, () => open))
      const refused = yield* Effect.repeat(large(), { until: ({ status }) => status !== 202 })
      assertProblem(refused, 429, "TOO_MANY_LARGE_BODIES")
      assert.strictEqual(refused.headers["retry-after"], "1")
      assert.strictEqual((yield* postJson("/pdf/ingest", { pdf_ids: ["a.pdf"] })).status, 202)
      yield* held[0]?.cut ?? Effect.void
      const accepted = yield* Effect.repeat(large(), { until: ({ status }) => status !== 429 })
      assert.strictEqual(accepted.status, 202, accepted.text)
      yield* TestClock.adjust("31 seconds")
      for (const connection of held.slice(1)) assert.match(yield* connection.answer, /^HTTP\/1\.1 408 [^]*BODY_STALLED/)
    }).pipe(Effect.provide(testServer))
  )

  it.effect("need not be there where all of it is optional", () =>
    Effect.gen(function* () {
      yield* postPdf()
      yield* alter(idOf(1), { status: "failed" })
      const path = `/v1/documents/${idOf(1)}/retry`
      assert.strictEqual((yield* post(path, HttpBody.empty)).status, 202)
      const answer = yield* post(path, json('{"pasword":"s3cret"}'))
      assertProblem(answer, 400, "INVALID_REQUEST")
      assert.deepStrictEqual(errorNames(answer), ["payload.pasword"])
      assert.notInclude(answer.text, "s3cret")
    }).pipe(Effect.provide(testServer))
  )
})

import { NodeHttpServer } from "@effect/platform-node"
import { assert } from "@effect/vitest"
import { Deferred, Effect, Layer, Schema } from "effect"
import { HttpBody, HttpClient, HttpClientRequest, type HttpClientResponse, HttpServer } from "effect/http"
import { connect } from "node:net"
import { ApiKeyId } from "../../src/domain/tenant/ApiKey.ts"
import { TenantId } from "../../src/domain/Ids.ts"
import { Authentication } from "../../src/http/auth/Authentication.ts"
import * as CurrentTenant from "../../src/http/auth/CurrentTenant.ts"
import * as Server from "../../src/http/Server.ts"
import { fakes } from "./fakes.ts"

/** The interface on a free port of the loopback, over the fakes. */
export const testServer = Server.layer.pipe(Layer.provideMerge(fakes), Layer.provideMerge(NodeHttpServer.layerTest))

/** The same with every request proved to be of tenant `a`. */
export const authenticatedServer = Server.layerNoDeps.pipe(
  Layer.provide([
    CurrentTenant.layer,
    Layer.succeed(Authentication, {
      authenticate: () =>
        Effect.succeed({
          _tag: "Tenant",
          id: TenantId.make("a"),
          key: ApiKeyId.make("0123456789abcdef"),
          revoked: Effect.never
        })
    })
  ]),
  Layer.provideMerge(fakes),
  Layer.provideMerge(NodeHttpServer.layerTest)
)

export const pdf = (size = 64) => {
  const bytes = new Uint8Array(size)
  bytes.set(new TextEncoder().encode("%PDF-1.7\n"))
  return bytes
}

const Answer = Schema.Record(Schema.String, Schema.Unknown)

export interface Answered {
  readonly status: number
  readonly headers: Record<string, string | undefined>
  readonly text: string
  /** The body, when it is JSON. */
  readonly json: typeof Answer.Type
}

export const answered = Effect.fnUntraced(function* (response: HttpClientResponse.HttpClientResponse) {
  const text = yield* response.text
  // Lines of `application/x-ndjson` are JSON; the whole is not.
  const isJson = /[/+]json/.test(response.headers["content-type"] ?? "")
  const json = isJson ? yield* Schema.decodeEffect(Schema.fromJsonString(Answer))(text) : {}
  const answer: Answered = { status: response.status, headers: response.headers, text, json }
  return answer
})

export const send = (request: HttpClientRequest.HttpClientRequest) =>
  Effect.flatMap(HttpClient.execute(request), answered)

export const get = (path: string, headers: Record<string, string> = {}) =>
  send(HttpClientRequest.get(path, { headers }))

export const remove = (path: string, headers: Record<string, string> = {}) =>
  send(HttpClientRequest.delete(path, { headers }))

export const post = (path: string, body: HttpBody.HttpBody, headers: Record<string, string> = {}) =>
  send(HttpClientRequest.post(path, { body, headers }))

export const postPdf = (
  path = "/v1/documents",
  headers: Record<string, string> = {},
  bytes: Uint8Array = pdf(),
  contentType = "application/pdf"
) => post(path, HttpBody.uint8Array(bytes, contentType), headers)

export const postJson = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  post(path, HttpBody.jsonUnsafe(body), headers)

export const patchJson = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  send(HttpClientRequest.patch(path, { body: HttpBody.jsonUnsafe(body), headers }))

type FormPart = readonly [field: string, value: string] | readonly [field: string, bytes: Uint8Array, fileName: string]

export const postForm = (
  parts: ReadonlyArray<FormPart>,
  headers: Record<string, string> = {},
  path = "/v1/documents"
) => {
  const form = new FormData()
  for (const [field, value, fileName] of parts) {
    if (typeof value === "string") form.append(field, value)
    else form.append(field, new Blob([new Uint8Array(value)], { type: "application/pdf" }), fileName)
  }
  return post(path, HttpBody.formData(form), headers)
}

/** The parts of the request that a problem names, sorted. */
export const errorNames = ({ json }: Answered): ReadonlyArray<string> =>
  (Array.isArray(json["errors"]) ? json["errors"] : []).map((error) => String(Object(error).field)).toSorted()

/** Every error has the shape of a problem. */
export const assertProblem = (answer: Answered, status: number, code: string) => {
  assert.strictEqual(answer.headers["content-type"], "application/problem+json")
  assert.deepStrictEqual([answer.status, answer.json.status, answer.json.code], [status, status, code], answer.text)
  assert.strictEqual(answer.json.type, "about:blank")
  assert.isString(answer.json.title)
  assert.isString(answer.json.detail)
}

/** A connection that sends exactly what it is told. `answer` completes with all that came once the server closes. */
export const rawConnection = Effect.gen(function* () {
  const { address } = yield* HttpServer.HttpServer
  const port = "port" in address ? address.port : 0
  const answer = yield* Deferred.make<string>()
  const arrived = yield* Deferred.make<string>()
  const socket = yield* Effect.acquireRelease(
    Effect.callback<ReturnType<typeof connect>>((resume) => {
      const socket = connect(port, "127.0.0.1", () => resume(Effect.succeed(socket)))
      let received = ""
      socket.setEncoding("utf8")
      socket.on("data", (text: string) => {
        received += text
        if (received.includes("\r\n\r\n")) Deferred.doneUnsafe(arrived, Effect.succeed(received))
      })
      socket.on("error", () => {})
      socket.on("close", () => Deferred.doneUnsafe(answer, Effect.succeed(received)))
    }),
    (socket) => Effect.sync(() => socket.destroy())
  )
  return {
    write: (data: string | Uint8Array) => Effect.sync(() => socket.write(data)),
    /** Sends without end, as fast as the server takes it. */
    flood: Effect.sync(() => {
      const chunk = new Uint8Array(64 * 1024)
      const more = () => {
        while (!socket.destroyed && socket.write(chunk));
      }
      socket.on("drain", more)
      more()
    }),
    cut: Effect.sync(() => socket.destroy()),
    /** The head of the answer, and what came with it. */
    arrived: Deferred.await(arrived),
    /** All of the answer, once the connection is closed. */
    answer: Deferred.await(answer)
  }
})

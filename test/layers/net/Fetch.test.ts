import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Logger, Result, Stream } from "effect"
import { TestClock } from "effect/testing"
import { IncomingMessage, type ServerResponse } from "node:http"
import { Socket } from "node:net"
import { TenantId } from "../../../src/domain/Ids.ts"
import { AddressPolicy, HostNames } from "../../../src/layers/net/AddressPolicy.ts"
import { makeFetch } from "../../../src/layers/net/Fetch.ts"
import { layer } from "../../../src/layers/net/Sources.ts"
import { parsePrivateHosts } from "../../../src/domain/net/PrivateHosts.ts"
import { PrivateSources } from "../../../src/services/config/OutboundPolicy.ts"
import { Sources } from "../../../src/services/Sources.ts"
import { allowLoopback, scriptedNames, serve } from "./loopback.ts"

const tenant = TenantId.make("acme")

const make = (guard: Layer.Layer<never> = Layer.empty) =>
  layer({ inbox: undefined, fetchTimeout: "20 seconds", connectTimeout: "5 seconds", maxRedirects: 5 }).pipe(
    Layer.provide(guard)
  )

const fetch = (url: string) =>
  Sources.use((sources) =>
    Effect.map(Stream.runCollect(sources.fetch(url, tenant)), (chunks) => Buffer.concat(chunks).toString())
  )

const redirect = (response: ServerResponse, location: string, status = 302) =>
  response.writeHead(status, { location }).end("moved")

describe("fetching a URL", () => {
  it.effect("reads the body and asks plainly for it", () =>
    Effect.gen(function* () {
      const requests: Array<IncomingMessage> = []
      const { port } = yield* serve((request, response) => {
        requests.push(request)
        response.write("%PDF-")
        response.end("1.7")
      })
      const body = yield* Effect.provide(fetch(`http://127.0.0.1:${port}/a%20b.pdf?x=1#y`), make(allowLoopback(port)))
      assert.strictEqual(body, "%PDF-1.7")
      assert.strictEqual(requests[0]?.url, "/a%20b.pdf?x=1")
      assert.deepInclude(requests[0]?.headers, {
        host: `127.0.0.1:${port}`,
        "accept-encoding": "identity",
        connection: "close"
      })
    })
  )

  it.effect("refuses every address that is not public without dialling it", () =>
    Effect.gen(function* () {
      const { port } = yield* serve((_request, response) => response.end("reached"))
      const hosts = [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0",
        "0.0.0.0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[fe80::1]",
        "[fd00::1]",
        "10.0.0.1",
        "169.254.169.254",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "sub.localhost",
        "127.0.0.1."
      ]
      for (const scheme of ["http", "HTTPS"]) {
        for (const host of hosts) {
          const error = yield* Effect.flip(fetch(`${scheme}://${host}:${port}/`))
          assert.strictEqual(error._tag, "SourceRefused", host)
          assert.strictEqual(error._tag === "SourceRefused" && error.failure.code, "SOURCE_REFUSED")
        }
      }
    }).pipe(Effect.provide(make()))
  )

  it.effect("refuses a URL with credentials or another scheme", () =>
    Effect.gen(function* () {
      for (const url of ["ftp://example.com/", "file:///etc/passwd", "http://me:hunter2@example.com/"]) {
        const error = yield* Effect.flip(fetch(url))
        assert.strictEqual(error._tag, "SourceRefused")
        assert.notInclude(JSON.stringify(error), "hunter2")
      }
    }).pipe(Effect.provide(make()))
  )

  it.effect("refuses a name when any of its addresses is not public", () =>
    Effect.gen(function* () {
      const names = scriptedNames(["93.184.216.34", "10.0.0.1"])
      const error = yield* Effect.flip(Effect.provide(fetch("http://rebind.example/"), make(names.layer)))
      assert.strictEqual(error._tag, "SourceRefused")
    })
  )

  it.effect("gives one answer for a name that leads inwards and for one that does not exist; the log tells which", () =>
    Effect.gen(function* () {
      const logs: Array<string> = []
      const capture = Logger.layer([Logger.map(Logger.formatJson, (line) => void logs.push(line))])
      const answers: Array<string> = []
      for (const resolve of [
        () => Effect.succeed(["10.0.0.1"]),
        () => Effect.succeed(["93.184.216.34", "fd00::1"]),
        () => Effect.succeed([]),
        () => Effect.fail({ code: "ENOTFOUND" }),
        () => Effect.fail({ code: "ENODATA" })
      ]) {
        const guard = Layer.merge(Layer.succeed(HostNames, { resolve }), capture)
        const error = yield* Effect.flip(Effect.provide(fetch("http://vault.corp.example/"), make(guard))).pipe(
          Effect.provide(capture)
        )
        answers.push(JSON.stringify(error))
      }
      assert.lengthOf(new Set(answers), 1, answers.join("\n"))
      assert.include(answers[0], "SOURCE_REFUSED")
      const told = logs.join("\n")
      for (const detail of ["it is at 10.0.0.1", "it is at fd00::1", "its name has no address"]) {
        assert.include(told, `vault.corp.example was refused: ${detail}`)
      }
    })
  )

  it.effect(
    "reads from the private hosts that the configuration allows, checks each hop, and reads from no others",
    () =>
      Effect.gen(function* () {
        let location = "/file"
        const { port } = yield* serve((request, response) =>
          request.url === "/moved" ? redirect(response, location) : response.end("reached")
        )
        const other = yield* serve((_request, response) => response.end("not to be reached"))
        const names = Layer.succeed(HostNames, {
          resolve: (host) => Effect.succeed(host === "meta.minio.test" ? ["169.254.169.254"] : ["127.0.0.1"])
        })
        const read = (list: string, url: string) => {
          const policy = Layer.succeed(PrivateSources, Result.getOrThrow(parsePrivateHosts(list)))
          return Effect.result(Effect.provide(fetch(url), make(Layer.merge(policy, names)))).pipe(
            Effect.map((result) => (Result.isSuccess(result) ? result.success : result.failure._tag))
          )
        }
        const origin = `http://127.0.0.1:${port}`
        for (const [list, url, expected] of [
          ["127.0.0.0/8", `${origin}/file`, "reached"],
          [`127.0.0.1:${port}`, `${origin}/moved`, "reached"],
          ["*.minio.test", `http://a.minio.test:${port}/file`, "reached"],
          ["127.0.0.1", `http://localhost:${port}/file`, "reached"],
          ["127.0.0.1", `http://any.example:${port}/file`, "reached"],
          ["", `${origin}/file`, "SourceRefused"],
          ["10.0.0.0/8", `${origin}/file`, "SourceRefused"],
          [`127.0.0.1:${port + 1}`, `${origin}/file`, "SourceRefused"],
          ["minio.test", `http://a.minio.test:${port}/file`, "SourceRefused"],
          ["127.0.0.0/8", `http://[::ffff:127.0.0.1]:${port}/file`, "SourceRefused"],
          ["*.minio.test, 169.254.0.0/16", "http://meta.minio.test/latest", "SourceRefused"]
        ] as const) {
          assert.strictEqual(yield* read(list, url), expected, `${list}: ${url}`)
        }
        for (const target of ["http://10.0.0.1/", "http://169.254.169.254/latest", `http://127.0.0.1:${other.port}/`]) {
          location = target
          assert.strictEqual(yield* read(`127.0.0.1:${port}`, `${origin}/moved`), "SourceRefused", target)
        }
      })
  )

  it.effect("looks a name that is allowed up as the system does when the name servers do not know it", () =>
    Effect.gen(function* () {
      const { port } = yield* serve((_request, response) => response.end("reached"))
      const unknown = Layer.succeed(HostNames, { resolve: () => Effect.fail({ code: "ENOTFOUND" }) })
      // Every system has this name in its own file, and no name server is asked for it.
      const url = `http://localhost:${port}/`
      const allowed = Layer.succeed(PrivateSources, Result.getOrThrow(parsePrivateHosts("localhost")))
      assert.strictEqual(yield* Effect.provide(fetch(url), make(Layer.merge(allowed, unknown))), "reached")
      const error = yield* Effect.flip(Effect.provide(fetch(url), make(unknown)))
      assert.strictEqual(error._tag, "SourceRefused")
    })
  )

  it.effect("dials the address it checked: a name that changes its answer is looked up once", () =>
    Effect.gen(function* () {
      const hosts: Array<string | undefined> = []
      const { port } = yield* serve((request, response) => {
        hosts.push(request.headers.host)
        response.end("public")
      })
      const names = scriptedNames(["127.0.0.1"], ["10.0.0.1"])
      const guard = Layer.merge(allowLoopback(port), names.layer)
      assert.strictEqual(yield* Effect.provide(fetch(`http://rebind.example:${port}/`), make(guard)), "public")
      assert.deepStrictEqual(names.asked, ["rebind.example"])
      assert.deepStrictEqual(hosts, [`rebind.example:${port}`])
    })
  )

  it.effect("checks the name again after a redirect to itself", () =>
    Effect.gen(function* () {
      const { port } = yield* serve((_request, response) => redirect(response, "/again"))
      const names = scriptedNames(["127.0.0.1"], ["169.254.169.254"])
      const guard = Layer.merge(allowLoopback(port), names.layer)
      const error = yield* Effect.flip(Effect.provide(fetch(`http://rebind.example:${port}/`), make(guard)))
      assert.strictEqual(error._tag, "SourceRefused")
    })
  )

  it.effect("dials the next address when the first cannot be reached", () =>
    Effect.gen(function* () {
      const { port } = yield* serve((_request, response) => response.end("second"))
      const guard = Layer.mergeAll(
        scriptedNames(["127.0.0.2", "127.0.0.1"]).layer,
        Layer.succeed(AddressPolicy, { allows: (address) => address.startsWith("127.0.0.") })
      )
      assert.strictEqual(yield* Effect.provide(fetch(`http://two.example:${port}/`), make(guard)), "second")
    })
  )

  it.effect("follows redirects of every kind, five at most", () =>
    Effect.gen(function* () {
      const { port } = yield* serve((request, response) => {
        const left = Number(request.url?.slice(1))
        const status = [301, 302, 303, 307, 308][left % 5] ?? 302
        return left === 0 ? response.end("arrived") : redirect(response, `/${left - 1}`, status)
      })
      const app = make(allowLoopback(port))
      assert.strictEqual(yield* Effect.provide(fetch(`http://127.0.0.1:${port}/5`), app), "arrived")
      const error = yield* Effect.flip(Effect.provide(fetch(`http://127.0.0.1:${port}/6`), app))
      assert.deepInclude(error, { _tag: "SourceUnavailable", retryable: false })
    })
  )

  it.effect("refuses a redirect to a private address, another scheme or credentials", () =>
    Effect.gen(function* () {
      let location = ""
      const { port } = yield* serve((_request, response) => redirect(response, location))
      const app = make(allowLoopback(port))
      for (const target of [
        "http://10.0.0.1/",
        "http://127.0.0.1:1/",
        "//169.254.169.254/latest",
        "http://0x7f.1/",
        "http://[::1]/",
        "file:///etc/passwd",
        "ftp://example.com/",
        "http://a:b@example.com/",
        "http://"
      ]) {
        location = target
        const error = yield* Effect.flip(Effect.provide(fetch(`http://127.0.0.1:${port}/`), app))
        assert.strictEqual(error._tag, "SourceRefused", target)
      }
    })
  )

  it.effect("refuses a redirect from https to http", () =>
    Effect.gen(function* () {
      const moved = new IncomingMessage(new Socket())
      moved.statusCode = 302
      moved.headers = { location: "http://example.com/" }
      const once = makeFetch(
        { exchange: () => Effect.succeed(moved) },
        { timeout: "1 minute", connectTimeout: "1 second", maxRedirects: 5 }
      )
      const error = yield* Effect.flip(Stream.runDrain(once("https://example.com/")))
      assert.deepInclude(error, { _tag: "SourceRefused", message: "example.com redirects from https to http" })
    })
  )

  it.effect("tells passing failures from lasting ones", () =>
    Effect.gen(function* () {
      const { port } = yield* serve((request, response) =>
        response.writeHead(Number.parseInt(request.url?.slice(1) ?? "")).end("no")
      )
      const app = make(allowLoopback(port))
      const retryable = {
        400: false,
        401: false,
        403: false,
        404: false,
        410: false,
        304: false,
        408: true,
        429: true,
        500: true,
        502: true,
        503: true
      }
      for (const [status, expected] of Object.entries(retryable)) {
        const error = yield* Effect.flip(Effect.provide(fetch(`http://127.0.0.1:${port}/${status}?token=hunter2`), app))
        assert.deepInclude(error, { _tag: "SourceUnavailable", retryable: expected }, status)
        assert.notInclude(JSON.stringify(error), "hunter2")
      }
    })
  )

  it.effect("may try again when the connection is refused or cut, or no name server answers", () =>
    Effect.gen(function* () {
      const { port, close } = yield* serve((request, response) => {
        if (request.url === "/cut")
          return response.writeHead(200, { "content-length": 100 }).write("half", () => response.destroy())
        if (request.url === "/chunked") return response.write("half", () => response.destroy())
        return request.socket.destroy()
      })
      const away = Layer.succeed(HostNames, { resolve: () => Effect.fail({ code: "ETIMEOUT" }) })
      const guard = Layer.merge(allowLoopback(port), away)
      const failsRetryably = Effect.fnUntraced(function* (url: string) {
        const error = yield* Effect.flip(Effect.provide(fetch(url), make(guard)))
        assert.deepInclude(error, { _tag: "SourceUnavailable", retryable: true }, url)
      })
      for (const path of ["cut", "chunked", "reset"]) yield* failsRetryably(`http://127.0.0.1:${port}/${path}`)
      yield* failsRetryably(`https://127.0.0.1:${port}/not-tls`)
      yield* failsRetryably("http://unknown.example/")
      close()
      yield* failsRetryably(`http://127.0.0.1:${port}/closed`)
    })
  )

  it.effect("refuses a compressed body it did not ask for", () =>
    Effect.gen(function* () {
      const { port } = yield* serve((_request, response) =>
        response.writeHead(200, { "content-encoding": "gzip" }).end("x")
      )
      const error = yield* Effect.flip(Effect.provide(fetch(`http://127.0.0.1:${port}/`), make(allowLoopback(port))))
      assert.deepInclude(error, { _tag: "SourceUnavailable", retryable: false })
    })
  )

  for (const [what, answer] of [
    ["never answers", () => {}],
    ["answers but never finishes", (response: ServerResponse) => response.write("drip")]
  ] as const) {
    it.effect(`gives up at its deadline on a server that ${what}, and closes the connection`, () =>
      Effect.gen(function* () {
        const reached = yield* Deferred.make<void>()
        const closed = yield* Deferred.make<void>()
        const { port } = yield* serve((request, response) => {
          request.socket.on("close", () => Deferred.doneUnsafe(closed, Effect.void))
          answer(response)
          Deferred.doneUnsafe(reached, Effect.void)
        })
        const app = make(allowLoopback(port))
        const fiber = yield* Effect.forkChild(Effect.flip(Effect.provide(fetch(`http://127.0.0.1:${port}/`), app)))
        yield* Deferred.await(reached)
        yield* TestClock.adjust("20 seconds")
        assert.deepInclude(yield* Fiber.join(fiber), { _tag: "SourceUnavailable", retryable: true })
        yield* Deferred.await(closed)
      })
    )

    it.effect(`closes the connection when interrupted on a server that ${what}`, () =>
      Effect.gen(function* () {
        const reached = yield* Deferred.make<void>()
        const closed = yield* Deferred.make<void>()
        const { port } = yield* serve((request, response) => {
          request.socket.on("close", () => Deferred.doneUnsafe(closed, Effect.void))
          answer(response)
          Deferred.doneUnsafe(reached, Effect.void)
        })
        const fiber = yield* Effect.forkChild(
          Effect.provide(fetch(`http://127.0.0.1:${port}/`), make(allowLoopback(port)))
        )
        yield* Deferred.await(reached)
        yield* Fiber.interrupt(fiber)
        yield* Deferred.await(closed)
      })
    )
  }

  it.effect("stops reading when the reader stops", () =>
    Effect.gen(function* () {
      const closed = yield* Deferred.make<void>()
      const { port } = yield* serve((request, response) => {
        request.socket.on("close", () => Deferred.doneUnsafe(closed, Effect.void))
        const pour = () => {
          while (response.writable && response.write(Buffer.alloc(65_536)));
        }
        response.on("drain", pour)
        pour()
      })
      const taken = yield* Effect.provide(
        Sources.use((sources) => Stream.runCollect(Stream.take(sources.fetch(`http://127.0.0.1:${port}/`, tenant), 3))),
        make(allowLoopback(port))
      )
      assert.strictEqual(taken.length, 3)
      yield* Deferred.await(closed)
    })
  )
})

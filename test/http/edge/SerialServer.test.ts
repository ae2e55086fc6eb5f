import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { IncomingMessage, ServerResponse } from "node:http"
import { connect } from "node:net"
import { SerialServer } from "../../../src/http/edge/SerialServer.ts"

interface Begun {
  readonly url: string
  readonly answer: (body: string) => void
}

/** A server that hands out its requests as they begin, and one connection to it. */
const world = Effect.gen(function* () {
  const begun: Array<Begun> = []
  const waiting = new Set<() => void>()
  const server = new SerialServer()
  server.on("request", ({ url = "" }: IncomingMessage, response: ServerResponse) => {
    begun.push({ url, answer: (body) => response.end(body) })
    for (const look of waiting) look()
  })
  yield* Effect.acquireRelease(
    Effect.callback<void>((resume) => {
      server.listen(0, "127.0.0.1", () => resume(Effect.void))
    }),
    () =>
      Effect.sync(() => {
        server.closeAllConnections()
        server.close()
      })
  )
  const socket = yield* Effect.acquireRelease(
    Effect.callback<ReturnType<typeof connect>>((resume) => {
      const socket = connect(Number(Reflect.get(Object(server.address()), "port")), "127.0.0.1", () =>
        resume(Effect.succeed(socket))
      )
      socket.on("error", () => {})
    }),
    (socket) => Effect.sync(() => socket.destroy())
  )
  let received = ""
  socket.setEncoding("utf8").on("data", (text: string) => {
    received += text
    for (const look of waiting) look()
  })
  const until = (holds: () => boolean) =>
    Effect.callback<void>((resume) => {
      const look = () => {
        if (!holds()) return
        waiting.delete(look)
        resume(Effect.void)
      }
      waiting.add(look)
      socket.once("close", look)
      look()
    })
  const heads = (...names: ReadonlyArray<number>) =>
    names.map((name) => `GET /${name} HTTP/1.1\r\nhost: x\r\n\r\n`).join("")
  return { begun, heads, received: () => received, socket, until }
})

describe("Requests that a connection sends without waiting for answers", () => {
  it.live("begin one after the other, in their order", () =>
    Effect.gen(function* () {
      const { begun, heads, received, socket, until } = yield* world
      socket.write(heads(0, 1, 2))
      for (const n of [0, 1, 2]) {
        yield* until(() => begun.length > n)
        // Had Node begun the others, it would have done so together with this one.
        assert.deepStrictEqual(
          begun.map(({ url }) => url),
          [0, 1, 2].slice(0, n + 1).map((name) => `/${name}`)
        )
        begun[n]?.answer(`answer ${n}`)
        yield* until(() => received().includes(`answer ${n}`))
      }
      // The connection lives on.
      socket.write(heads(3))
      yield* until(() => begun.length === 4)
      begun[3]?.answer("answer 3")
      yield* until(() => received().includes("answer 3"))
    }).pipe(Effect.scoped)
  )

  it.live("are so many that the connection is cut, and only the first has begun", () =>
    Effect.gen(function* () {
      const { begun, heads, socket, until } = yield* world
      socket.write(heads(...Array.from({ length: 1_000 }, (_, name) => name)))
      yield* until(() => socket.destroyed)
      assert.lengthOf(begun, 1)
      begun[0]?.answer("too late")
    }).pipe(Effect.scoped)
  )

  it.live("do not begin any more when the connection has ended", () =>
    Effect.gen(function* () {
      const { begun, heads, socket, until } = yield* world
      socket.write(heads(0, 1))
      yield* until(() => begun.length === 1)
      socket.destroy()
      const other = yield* world
      other.socket.write(other.heads(0))
      yield* other.until(() => other.begun.length === 1)
      begun[0]?.answer("too late")
      other.begun[0]?.answer("in time")
      yield* other.until(() => other.received().includes("in time"))
      assert.lengthOf(begun, 1)
    }).pipe(Effect.scoped)
  )
})

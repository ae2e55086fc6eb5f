import { createConnection } from "node:net"
import { connect } from "node:tls"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Logger, Redacted } from "effect"
import { SocketServer } from "effect/socket/SocketServer"
import type { ClusterSettings } from "../../../src/layers/config/ClusterConfig.ts"
import { layerServer, peerKey } from "../../../src/layers/cluster/PeerSockets.ts"
import { until } from "../../support/service.ts"

const token = Redacted.make("0123456789abcdef0123456789abcdef")
const other = Redacted.make("another-token-0123456789abcdef01")

const settings: ClusterSettings = {
  url: Redacted.make("postgres://nowhere"),
  address: { host: "127.0.0.1", port: 0 },
  listenHost: "127.0.0.1",
  token,
  shards: 96,
  role: "all"
}

/** The port of a runner, and what it has logged. */
const listening = Effect.gen(function* () {
  const logs: Array<string> = []
  const logger = Logger.layer([Logger.map(Logger.formatJson, (line) => void logs.push(line))])
  const context = yield* Layer.build(Layer.provide(layerServer(settings), logger))
  const { address } = Context.get(context, SocketServer)
  return { port: "port" in address ? address.port : 0, logs }
})

/** How a peer fares that shows this token; "secure" when both believe each other. */
const attempt = (port: number, secret: Redacted.Redacted, identity = peerKey(secret).id) =>
  Effect.callback<string>((resume) => {
    const socket = connect({
      host: "127.0.0.1",
      port,
      ciphers: "ECDHE-PSK-CHACHA20-POLY1305",
      maxVersion: "TLSv1.2",
      checkServerIdentity: () => undefined,
      pskCallback: () => ({ psk: peerKey(secret).key, identity })
    })
    socket.once("secureConnect", () => resume(Effect.succeed("secure")))
    socket.once("error", () => resume(Effect.succeed("refused")))
    return Effect.sync(() => socket.destroy())
  })

describe("the port between runners", () => {
  it.live("accepts a peer with the same token, and nobody else", () =>
    Effect.gen(function* () {
      const { port } = yield* listening
      assert.strictEqual(yield* attempt(port, token), "secure")
      assert.strictEqual(yield* attempt(port, other), "refused")
      // One that knows which token it is, and not the token.
      assert.strictEqual(yield* attempt(port, other, peerKey(token).id), "refused")
    })
  )

  it.live("ends a connection that is not encrypted", () =>
    Effect.gen(function* () {
      const { port } = yield* listening
      const answer = yield* Effect.callback<string>((resume) => {
        const socket = createConnection({ host: "127.0.0.1", port }, () => socket.write("GET / HTTP/1.1\r\n\r\n"))
        let heard = ""
        socket.on("data", (bytes) => {
          heard += bytes.toString("latin1")
        })
        socket.once("close", () => resume(Effect.succeed(heard)))
        socket.once("error", () => undefined)
      })
      assert.notInclude(answer, "HTTP")
    })
  )

  it.live("logs a refused peer once, with a code and without its secrets", () =>
    Effect.gen(function* () {
      const { logs, port } = yield* listening
      yield* attempt(port, other)
      yield* attempt(port, other)
      const found = yield* until(
        Effect.sync(() => logs.filter((line) => line.includes("CLUSTER_PEER_REFUSED"))),
        (lines) => lines.length > 0
      )
      assert.lengthOf(found, 1)
      assert.include(found[0], "127.0.0.1")
      for (const secret of [token, other]) assert.notInclude(logs.join("\n"), Redacted.value(secret))
    })
  )

  it("derives different keys from different tokens, and no token from its id", () => {
    assert.notDeepEqual(peerKey(token), peerKey(other))
    assert.notInclude(Redacted.value(token), peerKey(token).id)
  })
})

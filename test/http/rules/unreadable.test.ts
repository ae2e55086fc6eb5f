import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer } from "effect"
import * as NodeServer from "../../../src/http/edge/NodeServer.ts"
import * as Server from "../../../src/http/Server.ts"
import { rawConnection } from "../client.ts"
import { fakes, inspect } from "../fakes.ts"

/** The interface on the server that it has in earnest. */
const served = Server.layer.pipe(
  Layer.provideMerge(fakes),
  Layer.provideMerge(NodeServer.layer),
  Layer.provide(ConfigProvider.layer(ConfigProvider.fromUnknown({ PORT: "0" })))
)

const line = "POST /v1/documents HTTP/1.1\r\nHost: localhost\r\n"

describe("What node cannot read as a request", () => {
  it.effect("is answered with a problem, and the connection is closed", () =>
    Effect.gen(function* () {
      for (const [sent, status, code] of [
        ["\u0016\u0003\u0001\u0002hello TLS\r\n\r\n", 400, "MALFORMED_REQUEST"],
        ["GET /v1/documents?name=\u00e4 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, "MALFORMED_REQUEST"],
        ["GET /v1/documents HTTP/1.1\r\nHost: localhost\r\nX-Tenant-Id: a\u0000b\r\n\r\n", 400, "MALFORMED_REQUEST"],
        [`${line}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`, 400, "MALFORMED_REQUEST"],
        [`${line}Content-Length: x\r\n\r\n`, 400, "MALFORMED_REQUEST"],
        [`${line}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400, "MALFORMED_REQUEST"],
        [`${line}Content-Type: application/pdf\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n`, 400, "MALFORMED_REQUEST"],
        [`GET /v1/documents?name=${"a".repeat(20_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`, 431, "HEAD_TOO_LARGE"],
        [`${line}X-File-Name: ${"a".repeat(20_000)}\r\n\r\n`, 431, "HEAD_TOO_LARGE"],
        [`${line}${"x: y\r\n".repeat(5000)}\r\n`, 431, "HEAD_TOO_LARGE"],
        [
          `${line}Content-Type: application/pdf\r\nTransfer-Encoding: chunked\r\n\r\n1;${"a".repeat(20_000)}\r\na\r\n`,
          413,
          "BODY_TOO_LARGE"
        ]
      ] as const) {
        const connection = yield* rawConnection
        yield* connection.write(Buffer.from(sent, "latin1"))
        const answer = yield* connection.answer
        const title = sent.slice(0, 120)
        assert.match(answer, new RegExp(`^HTTP/1.1 ${status} `), title)
        assert.include(answer, "Content-Type: application/problem+json", title)
        assert.include(answer, `"code":"${code}"`, title)
      }
      assert.deepStrictEqual((yield* inspect).submissions, [])
    }).pipe(Effect.provide(served))
  )
})

import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { startServer } from "../support/serverProcess.ts"
import { temporaryFolder } from "../support/service.ts"

const Line = Schema.fromJsonString(Schema.Struct({ level: Schema.String, message: Schema.Unknown }))
const decodeLine = Schema.decodeEffect(Line)

describe("The output of a server", () => {
  it.live("is one JSON object per line where nobody reads along, from its first line to its last", () =>
    Effect.gen(function* () {
      const server = yield* startServer(yield* temporaryFolder)
      yield* server.signal("SIGTERM")
      yield* server.ended
      const lines = yield* Effect.forEach(server.output().trimEnd().split("\n"), (line) => decodeLine(line))
      assert.isNotEmpty(lines)
      assert.isTrue(lines.some(({ message }) => String(message).startsWith("Sluice listens on http://")))
    })
  )

  it.live("is set for reading where that is asked for", () =>
    Effect.gen(function* () {
      const server = yield* startServer(yield* temporaryFolder, { LOG_FORMAT: "pretty" })
      assert.match(server.output(), /^ {2}curl --data-binary/m)
    })
  )
})

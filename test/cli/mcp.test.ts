// `sluice mcp` with a client of the protocol's own SDK, against a real server.
import { assert, describe, it } from "@effect/vitest"
import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js"
import { Effect, Schema } from "effect"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { generatedTruth } from "../../bench/score/truth/Documents.ts"
import { DocumentId } from "../../src/domain/Ids.ts"
import { finished, service, temporaryFolder } from "../support/service.ts"
import { serverUrl } from "./harness.ts"

const program = fileURLToPath(new URL("../../sluice.js", import.meta.url))

/** A client whose server is a process of `sluice mcp`. */
const clientOf = (url: string) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const client = new Client({ name: "test", version: "1" })
      await client.connect(
        new StdioClientTransport({ command: process.execPath, args: [program, "mcp", "--url", url], stderr: "inherit" })
      )
      return client
    }),
    (client) => Effect.promise(() => client.close())
  )

/** What a model is shown of the answer of a tool. */
const Answer = Schema.Struct({
  isError: Schema.optional(Schema.Boolean),
  content: Schema.Tuple([
    Schema.Struct({
      type: Schema.Literal("text"),
      text: Schema.fromJsonString(Schema.Record(Schema.String, Schema.Unknown))
    })
  ])
})
const decode = Schema.decodeUnknownEffect(Answer)

describe("The server of the Model Context Protocol", () => {
  it.live(
    "lets a client send a PDF, follow it, read it and search",
    () =>
      Effect.gen(function* () {
        const client = yield* clientOf(yield* serverUrl)
        const call = (name: string, args: Record<string, unknown>) =>
          Effect.flatMap(
            Effect.promise(() => client.callTool({ name, arguments: args })),
            (answer) => Effect.map(decode(answer), ({ content: [{ text }], isError = false }) => ({ isError, text }))
          )
        const { tools } = yield* Effect.promise(() => client.listTools())
        assert.deepStrictEqual(tools.map(({ name }) => name).toSorted(), [
          "document_status",
          "list_documents",
          "read_markdown",
          "search",
          "upload_pdf"
        ])
        assert.isTrue(tools.find(({ name }) => name === "search")?.annotations?.readOnlyHint)

        const path = join(yield* temporaryFolder, "report.pdf")
        writeFileSync(path, generatedTruth().find(({ name }) => name === "report")?.pdf ?? "")
        const { text: sent } = yield* call("upload_pdf", { path })
        assert.strictEqual(sent["name"], "report.pdf")
        const id = DocumentId.make(String(sent["id"]))
        yield* finished(id)
        const { text: status } = yield* call("document_status", { id })
        assert.deepInclude(status, { status: "completed", pages: 3, pagesDone: 3 })
        const { text: read } = yield* call("read_markdown", { id, to: 1 })
        assert.match(String(read["text"]), /^# /m)
        const { text: found } = yield* call("search", { query: "pilot harbour" })
        assert.deepStrictEqual(found, { hits: [], degraded: [] })
        const { text: again } = yield* call("upload_pdf", { path, pipeline: "rag" })
        yield* finished(DocumentId.make(String(again["id"])))
        const { text: hits } = yield* call("search", { query: "pilot harbour" })
        assert.isTrue(Array.isArray(hits["hits"]) && hits["hits"].length > 0)
        const { text: list } = yield* call("list_documents", {})
        assert.strictEqual(Array.isArray(list["documents"]) && list["documents"].length, 2)

        const missing = yield* call("document_status", { id: "01900000-0000-7000-8000-000000000009" })
        assert.isTrue(missing.isError)
        assert.strictEqual(missing.text["code"], "DOCUMENT_NOT_FOUND")
        const unreadable = yield* call("upload_pdf", { path: `${path}.none` })
        assert.strictEqual(unreadable.text["code"], "UNREADABLE")
      }).pipe(Effect.scoped, Effect.provide(service())),
    120_000
  )
})

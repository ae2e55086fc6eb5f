import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, SchemaAST } from "effect"
import { HttpBody, HttpClientRequest } from "effect/http"
import { HttpApi } from "effect/http-api"
import { readFileSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { Api } from "../../../src/http/api/Api.ts"
import { SluiceClient } from "../../../src/client.ts"
import { serverUrl } from "../../cli/harness.ts"
import { alter, idOf } from "../fakes.ts"
import { pdf, send, testServer } from "../client.ts"

const client = Layer.unwrap(Effect.map(serverUrl, (baseUrl) => SluiceClient.layer({ baseUrl }))).pipe(
  Layer.provideMerge(testServer)
)

const root = join(import.meta.dirname, "../../..")

/** The names that each endpoint knows in its query, by method and path. */
const known: ReadonlyMap<string, ReadonlySet<string>> = (() => {
  const found = new Map<string, ReadonlySet<string>>()
  HttpApi.reflect(Api, {
    onGroup: () => {},
    onEndpoint: ({ endpoint }) => {
      const ast = endpoint.query?.ast
      const names = ast !== undefined && SchemaAST.isObjects(ast) ? ast.propertySignatures.map(({ name }) => name) : []
      found.set(`${endpoint.method} ${endpoint.path.replace(/:\w+/g, "*")}`, new Set(names.map(String)))
    }
  })
  return found
})()

const assertKnown = (method: string, path: string, names: ReadonlyArray<string>, where: string) => {
  const route = `${method} /${path
    .replace(/^\//, "")
    .replace(/\$\{[^}]*\}|\$\w+|<\w+>|01a2[^/]*|:\w+/g, "*")
    .replace(/pages\/\d+/, "pages/*")}`
  const of = known.get(route)
  assert.isDefined(of, `${where}: ${route}`)
  for (const name of names) assert.isTrue(of?.has(name), `${where}: ${route} knows no ${name}`)
}

describe("What this project itself asks for", () => {
  it("is known to the interface: the dashboard", () => {
    const source = readFileSync(join(root, "dashboard/api.js"), "utf8")
    const calls = [
      ...source.matchAll(/(?:json|send)\("([A-Z]+)", ["`]([^"`]+)["`](?:, \{ query(?:: \{ ([^}]*) \})?)?/g)
    ]
    assert.isAbove(calls.length, 10)
    for (const [call, method = "", path = "", query = ""] of calls) {
      assertKnown(
        method,
        path,
        query === "" ? [] : query.split(",").map((part) => part.split(":")[0]?.trim() ?? ""),
        call
      )
    }
    // The one whose query comes from elsewhere is typed with its names.
    const typed = /@type \{\(query: \{ ([^}]*) \}/.exec(source)?.[1] ?? ""
    assertKnown(
      "GET",
      "v1/documents",
      [...typed.matchAll(/(\w+)\?:/g)].map(([, name = ""]) => name),
      "api.documents"
    )
    const uploads = readFileSync(join(root, "dashboard/uploads.js"), "utf8")
    const set = [...uploads.matchAll(/searchParams\.set\("(\w+)"/g)].map(([, name = ""]) => name)
    assert.deepStrictEqual(set, ["name", "priority", "force"])
    assertKnown("POST", "v1/documents", set, "uploads.js")
  })

  it("is known to the interface: the documentation, the benches and the examples", () => {
    const files = ["README.md", ...["docs", "bench", "examples", "src/cli"].flatMap((folder) => below(folder))]
    let seen = 0
    for (const file of files.filter((name) => /\.(md|ts|js|sh)$/.test(name) && !name.includes("bench/peers"))) {
      const text = readFileSync(join(root, file), "utf8")
      for (const [url, path = "", query = ""] of text.matchAll(
        /(\/v1\/[\w./:$<>{}*-]+|\/queue\/status|\/pdf\/ingest)\?([\w&=.,:%${}-]+)/g
      )) {
        const isUpload = path === "/v1/documents" && /name=|force=|callback=|pipeline=/.test(query)
        const isPost = path.endsWith("/retry")
        const method = isUpload || isPost ? "POST" : "GET"
        assertKnown(
          method,
          path,
          query.split("&").map((part) => part.split("=")[0] ?? ""),
          `${file}: ${url}`
        )
        seen++
      }
    }
    assert.isAbove(seen, 10)
  })

  it.effect("is known to the interface: the client, and it sends bodies only where they are taken", () =>
    Effect.gen(function* () {
      const sluice = yield* SluiceClient
      const { id } = yield* sluice.ingest(pdf(), {
        name: "a & b.pdf",
        priority: 7,
        force: true,
        callback: "https://example.com/x?y=z",
        idempotencyKey: "key"
      })
      yield* alter(id, { status: "failed" })
      assert.strictEqual((yield* sluice.list({ status: ["failed", "partial"], limit: 5 })).documents.length, 1)
      assert.strictEqual((yield* sluice.list({ status: "failed" })).documents.length, 1)
      assert.strictEqual((yield* sluice.list({ status: "queued" })).documents.length, 0)
      yield* sluice.list({ cursor: idOf(9) })
      yield* sluice.queue("all")
      yield* sluice.cancel(id)
      const form = new FormData()
      form.append("priority", "7")
      form.append("file", new Blob([pdf()]), "form.pdf")
      const sent = yield* send(HttpClientRequest.post("/v1/documents", { body: HttpBody.formData(form) }))
      assert.strictEqual(sent.status, 202, sent.text)
    }).pipe(Effect.provide(client))
  )
})

const below = (folder: string): ReadonlyArray<string> =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => !name.includes("node_modules"))
    .map((name) => join(folder, name))

import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { assertProblem, get, testServer } from "../http/client.ts"

const html = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" }

describe("the dashboard's files", () => {
  it.effect("are a page for who asks for HTML, while programs get what they always got", () =>
    Effect.gen(function* () {
      const page = yield* get("/", html)
      assert.include(page.headers["content-type"] ?? "", "text/html")
      assert.include(page.text, '<script type="module" src="dashboard/main.js">')
      assert.strictEqual(page.headers["vary"], "accept, Accept-Encoding")
      assert.deepInclude((yield* get("/")).json, { docs: "/docs" })
    }).pipe(Effect.provide(testServer))
  )

  it.effect("allow nothing inline and nothing from elsewhere", () =>
    Effect.gen(function* () {
      const { headers, text } = yield* get("/", html)
      const policy = headers["content-security-policy"] ?? ""
      assert.include(policy, "default-src 'none'; script-src 'self'; style-src 'self'")
      assert.notInclude(policy, "unsafe")
      assert.notMatch(text, /<style|style=|\son\w+=|<script>|(src|href)="(https?:)?\/\//)
    }).pipe(Effect.provide(testServer))
  )

  it.effect("are sent again only when they have changed", () =>
    Effect.gen(function* () {
      for (const path of ["/", "/dashboard/main.js", "/dashboard/style.css", "/dashboard/icon.svg"]) {
        const first = yield* get(path, html)
        assert.strictEqual(first.status, 200, path)
        const etag = first.headers["etag"] ?? ""
        assert.match(etag, /^(W\/)?"[\w-]{43}"$/)
        const second = yield* get(path, { ...html, "if-none-match": `"other", ${etag}` })
        assert.deepInclude(second, { status: 304, text: "" })
      }
    }).pipe(Effect.provide(testServer))
  )

  it.effect("are only those of the page", () =>
    Effect.gen(function* () {
      for (const name of ["tsconfig.json", "types.d.ts", "..%2fpackage.json", "nothing.js"]) {
        assertProblem(yield* get(`/dashboard/${name}`), 404, "ROUTE_NOT_FOUND")
      }
    }).pipe(Effect.provide(testServer))
  )
})

describe("the workers", () => {
  it.effect("are shown with their memory and what they have read", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual((yield* get("/v1/workers")).json, {
        capacity: 1,
        ready: 1,
        replaced: 0,
        workers: [{ pid: 0, busy: false, rssBytes: 0, pagesRead: 0 }]
      })
    }).pipe(Effect.provide(testServer))
  )
})

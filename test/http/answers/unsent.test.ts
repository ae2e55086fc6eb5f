import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { KeyedLimit } from "../../../src/services/KeyedLimit.ts"
import type { PageResult } from "../../../src/domain/document/Page.ts"
import { assertProblem, get, postPdf, testServer } from "../client.ts"
import { alter, change, idOf } from "../fakes.ts"
import { fetched, open } from "../wire.ts"

const mebibyte = 1024 * 1024

/** Far more than what the system takes for a connection that does not read. */
const large = 12 * mebibyte

const pageOf = (number: number, text: string): PageResult => ({
  number,
  status: "ok",
  width: 595,
  height: 842,
  rotation: 0,
  text,
  lines: "[]",
  error: undefined,
  elapsedMillis: 5
})

const tenants = ["acme", "globex", "initech"]
const as = (tenant: string) => ({ "x-tenant-id": tenant })
const pathOf = (tenant: string) => `/v1/documents/${idOf(tenants.indexOf(tenant) + 1)}`

/** Each tenant has a document with one large page and a small one. */
const documents = Effect.gen(function* () {
  const text = "x".repeat(large)
  for (const tenant of tenants) yield* postPdf("/v1/documents", as(tenant))
  const pages = [pageOf(1, text), pageOf(2, "small")]
  yield* change({ pages: new Map(tenants.map((_, index) => [idOf(index + 1), pages])) })
})

const env = { PER_TENANT_UNSENT_BYTES: "20MiB", MAX_UNSENT_BYTES: "30MiB", ANSWER_STALL_TIMEOUT: "30s" }
const server = testServer.pipe(Layer.provide(ConfigProvider.layer(ConfigProvider.fromUnknown(env))))

/** Lets time pass until it holds; a request for each step, as what goes over the network takes real time. */
const passing = <E, R>(holds: Effect.Effect<boolean, E, R>) =>
  Effect.andThen(TestClock.adjust("10 seconds"), holds).pipe(Effect.repeat({ until: (isSo) => isSo }))

describe("answers that are not read", () => {
  it.effect("are given up to a limit for each tenant, and to a limit for all", () =>
    Effect.gen(function* () {
      yield* documents
      const pages = (tenant: string) => `${pathOf(tenant)}/pages?limit=1`
      const first = yield* open(pages("acme"), as("acme"))
      assert.strictEqual(first.status, 200)

      const refused = yield* get(pages("acme"), as("acme"))
      assertProblem(refused, 429, "TENANT_UNSENT_BYTES")
      assert.strictEqual(refused.json.limit, 20 * mebibyte)
      assert.strictEqual(refused.headers["retry-after"], "5")
      assert.isString(refused.headers["x-request-id"])
      // What is small goes on, and so do others.
      assert.strictEqual((yield* get(pathOf("acme"), as("acme"))).status, 200)
      const second = yield* open(pages("globex"), as("globex"))
      assert.strictEqual(second.status, 200)
      assertProblem(yield* get(pages("initech"), as("initech")), 503, "GLOBAL_UNSENT_BYTES")
      assert.strictEqual((yield* get(`${pathOf("initech")}/pages?from=2`, as("initech"))).status, 200)

      // What was read, counts no more.
      assert.isTrue(yield* first.read())
      assert.isAbove(first.received().length, large)
      assert.strictEqual((yield* get(pages("acme"), as("acme"))).status, 200)
    }).pipe(Effect.scoped, Effect.provide(server))
  )

  it.effect("are cut when nothing more of them is taken for a while, and let others in then", () =>
    Effect.gen(function* () {
      yield* documents
      const path = `${pathOf("acme")}/pages?limit=1`
      const stalled = yield* open(path, as("acme"))
      assertProblem(yield* get(path, as("acme")), 429, "TENANT_UNSENT_BYTES")
      yield* passing(Effect.map(fetched(path, as("acme")), ({ status }) => status === 200))
      assert.isFalse(yield* stalled.read())
      assert.isBelow(stalled.received().length, large)
    }).pipe(Effect.scoped, Effect.provide(server))
  )

  it.effect("are not cut as long as something of them is taken", () =>
    Effect.gen(function* () {
      yield* documents
      const slow = yield* open(`${pathOf("acme")}/pages?limit=1`, as("acme"))
      for (let read = mebibyte; read < large; read += mebibyte) {
        assert.isFalse(yield* slow.read(read))
        yield* TestClock.adjust("12 seconds")
        yield* get("/health/live")
      }
      assert.isTrue(yield* slow.read())
    }).pipe(Effect.scoped, Effect.provide(server))
  )

  it.effect("count for the tenant whose they are, whatever they are, and no more when their connections are gone", () =>
    Effect.gen(function* () {
      for (const tenant of ["acme", "acme", "globex"]) yield* postPdf("/v1/documents", as(tenant))
      for (const n of [1, 2]) yield* alter(idOf(n), { name: "n".repeat(large / 2) })
      const path = "/v1/documents?limit=200"
      yield* Effect.scoped(
        Effect.gen(function* () {
          assert.strictEqual((yield* open(path, as("acme"))).status, 200)
          assert.strictEqual((yield* open(path, as("acme"))).status, 429)
          assert.strictEqual((yield* get(path, as("globex"))).status, 200)
        })
      )
      const again = Effect.map(fetched(path, as("acme")), ({ status }) => status === 200)
      yield* Effect.repeat(again, { until: (isSo) => isSo })
    }).pipe(Effect.scoped, Effect.provide(server))
  )

  it.effect("count as streams, too: of all pages, and of a text", () =>
    Effect.gen(function* () {
      yield* documents
      for (const [tenant, path] of [
        ["acme", "/pages.ndjson"],
        ["globex", "/text"]
      ] as const) {
        const stream = yield* open(`${pathOf(tenant)}${path}`, as(tenant))
        assert.strictEqual(stream.status, 200)
        yield* stream.read(1)
      }
      assertProblem(yield* get(`${pathOf("acme")}/pages?limit=1`, as("acme")), 429, "TENANT_UNSENT_BYTES")
      assertProblem(yield* get(`${pathOf("initech")}/pages?limit=1`, as("initech")), 503, "GLOBAL_UNSENT_BYTES")
    }).pipe(Effect.scoped, Effect.provide(server))
  )
})

describe("a limit for each key and for all", () => {
  it("takes what fits, gives back what is over, and takes one alone however large it is", () => {
    const limit = new KeyedLimit<string>({ perKey: 10, total: 15 })
    assert.strictEqual(limit.take("a", 12), undefined)
    assert.strictEqual(limit.take("a", 1), "key")
    assert.strictEqual(limit.against("b", 3), undefined)
    assert.strictEqual(limit.take("b", 4), "total")
    assert.strictEqual(limit.take("b", 3), undefined)
    assert.deepStrictEqual([limit.held("a"), limit.held("b"), limit.held()], [12, 3, 15])
    limit.add("a", -12)
    assert.deepStrictEqual([limit.held("a"), limit.held()], [0, 3])
    assert.strictEqual(limit.take("b", 7), undefined)
    assert.strictEqual(limit.take("b", 1), "key")
  })
})

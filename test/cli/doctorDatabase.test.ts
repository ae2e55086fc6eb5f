import { createServer, type Server } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Redacted } from "effect"
import { checkClock, checkDatabase, judgeClock, judgeDatabase } from "../../src/cli/doctor/Database.ts"
import { judgeBucketClock } from "../../src/cli/doctor/Bucket.ts"
import { checkCluster } from "../../src/cli/doctor/Cluster.ts"
import { checkSecretKey } from "../../src/cli/doctor/SecretKey.ts"
import { temporaryFolder } from "../support/service.ts"
import { sluice } from "./harness.ts"
import { postgresBinaries, withoutPostgres } from "../support/postgres/binaries.ts"
import { newDatabase, urlOf } from "../support/postgres/server.ts"

const facts = { release: "16.2", major: 16, isDurable: true, connections: 100, inUse: 5, schema: "public" }

describe("What the doctor says of the database", () => {
  it.effect("is that SQLite is used when no other is named", () =>
    Effect.gen(function* () {
      const finding = yield* checkDatabase({ url: undefined, connections: 16 })
      assert.deepStrictEqual([finding.state, finding.detail], ["ok", "SQLite in the data folder"])
    })
  )

  it("is a warning when commits may be lost, or when one process may take nearly all connections", () => {
    assert.strictEqual(judgeDatabase(facts, 16, 5).state, "ok")
    assert.deepInclude(judgeDatabase({ ...facts, isDurable: false }, 16, 5), { state: "warn" })
    assert.deepInclude(judgeDatabase(facts, 95, 5), { state: "warn" })
    assert.deepInclude(judgeDatabase({ ...facts, inUse: 80 }, 16, 5), { state: "warn" })
  })

  it("is a warning when clocks are more than a second apart", () => {
    assert.deepStrictEqual(
      [-1_500, -900, 0, 900, 1_500].map((ahead) => judgeClock(ahead).state),
      ["warn", "ok", "ok", "ok", "warn"]
    )
    assert.include(judgeClock(-1_500).detail, "1.5 s behind")
    assert.strictEqual(judgeBucketClock("it works", 900).state, "ok")
    assert.include(judgeBucketClock("it works", 60_000).detail, "60 s ahead")
  })

  it.live("is a failure with what to do when it cannot be reached, without the password", () =>
    Effect.gen(function* () {
      const url = Redacted.make("postgres://sluice:hunter2@127.0.0.1:1/sluice")
      const finding = yield* checkDatabase({ url, connections: 16 })
      assert.strictEqual(finding.state, "fail")
      assert.include(finding.detail, "correct the address in DATABASE_URL")
      assert.notInclude(JSON.stringify(finding), "hunter2")
    })
  )

  it.live.skipIf(postgresBinaries === undefined)(
    postgresBinaries === undefined
      ? withoutPostgres
      : "names the release and the schema, and whether commits are flushed",
    () =>
      Effect.gen(function* () {
        const finding = yield* checkDatabase({ url: yield* urlOf(yield* newDatabase), connections: 16 })
        assert.strictEqual(finding.state, "warn")
        const database = { url: yield* urlOf(yield* newDatabase), connections: 16 }
        assert.strictEqual((yield* checkClock(database)).state, "ok")
        assert.match(finding.detail, /^Postgres \d+.*, schema public, .* it does not flush commits$/)
      })
  )

  it.live.skipIf(postgresBinaries === undefined)("is told of the key, too: missing, another, or the right one", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryFolder
      const url = yield* urlOf(yield* newDatabase)
      const check = (fill?: number) =>
        checkSecretKey({
          directory,
          url,
          given:
            fill === undefined ? undefined : { key: Redacted.make(new Uint8Array(32).fill(fill)), place: "SECRET_KEY" }
        })
      assert.strictEqual((yield* check()).state, "warn")
      const env = { DATA_DIR: directory, DATABASE_URL: Redacted.value(url), SECRET_KEY: "01".repeat(32) }
      yield* sluice(["storage", "adopt"], env)
      assert.deepInclude(yield* check(1), { state: "ok", detail: "SECRET_KEY is the one of the database" })
      assert.deepInclude(yield* check(2), { state: "fail" })
      const missing = yield* check()
      assert.strictEqual(missing.state, "fail")
      assert.include(missing.detail, "is missing")
    })
  )

  it.live("is told of the cluster: no token, a taken port, or a free one", () =>
    Effect.gen(function* () {
      const taken = yield* Effect.acquireRelease(
        Effect.callback<Server>((resume) => {
          const server = createServer().listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
        }),
        (server) => Effect.sync(() => server.close())
      )
      const address = taken.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      const check = (env: Readonly<Record<string, string>>) =>
        Effect.provide(checkCluster, ConfigProvider.layer(ConfigProvider.fromEnv({ env })))
      assert.strictEqual((yield* check({})).state, "ok")
      const on = { CLUSTER: "on", DATABASE_URL: "postgres://x@127.0.0.1:1/x", CLUSTER_PORT: String(port) }
      assert.include((yield* check(on)).detail, "CLUSTER_TOKEN")
      const token = { CLUSTER_TOKEN: "t".repeat(32) }
      assert.include((yield* check({ ...on, ...token })).detail, `127.0.0.1:${port}: it is taken`)
      taken.close()
      assert.strictEqual((yield* check({ ...on, ...token })).state, "ok")
    })
  )
})

import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { checkDatabase, judgeDatabase } from "../../src/cli/doctor/Database.ts"
import { postgresBinaries, withoutPostgres } from "../support/postgres/binaries.ts"
import { newDatabase, urlOf } from "../support/postgres/server.ts"

const facts = { release: "16.2", major: 16, isDurable: true, connections: 100, schema: "public" }

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
        assert.match(finding.detail, /^Postgres \d+.*, schema public, .* it does not flush commits$/)
      })
  )
})

import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, type Duration, Effect, Exit, Layer, Redacted, Scope } from "effect"
import type { ClusterSettings } from "../../../src/layers/config/ClusterConfig.ts"
import * as ClusterDatabase from "../../../src/layers/cluster/ClusterDatabase.ts"
import * as Membership from "../../../src/layers/cluster/Membership.ts"
import { postgresBinaries, withoutPostgres } from "../../support/postgres/binaries.ts"
import { execute, newDatabase, urlOf } from "../../support/postgres/server.ts"

const settingsFor = (url: Redacted.Redacted, port: number, more: Partial<ClusterSettings> = {}): ClusterSettings => ({
  url,
  address: { host: "10.0.0.1", port },
  listenHost: "127.0.0.1",
  token: Redacted.make("0123456789abcdef0123456789abcdef"),
  shards: 96,
  role: "all",
  ...more
})

const join = (settings: ClusterSettings, patience?: Duration.Input) =>
  Effect.map(
    Layer.build(Membership.layer(settings, patience).pipe(Layer.provide(ClusterDatabase.layer(settings.url)))),
    Context.get(Membership.Membership)
  )

const refusal = (settings: ClusterSettings) =>
  Effect.map(Effect.flip(Effect.scoped(join(settings))), (error) => ("detail" in error ? error.detail : ""))

describe.skipIf(postgresBinaries === undefined)(
  postgresBinaries === undefined ? withoutPostgres : "the members of a cluster",
  () => {
    it.live("see each other and what they say, until they leave", () =>
      Effect.gen(function* () {
        const url = yield* urlOf(yield* newDatabase)
        const one = yield* join(settingsFor(url, 1))
        const scope = yield* Scope.make()
        const other = yield* Scope.provide(join(settingsFor(url, 2, { role: "runner" })), scope)
        yield* other.exchange("busy")
        const seen = yield* one.exchange("idle")
        assert.deepStrictEqual(
          seen.map(({ name, role, state }) => [name, role, state]),
          [
            ["10.0.0.1:1", "all", "idle"],
            ["10.0.0.1:2", "runner", "busy"]
          ]
        )
        yield* Scope.close(scope, Exit.void)
        assert.lengthOf(yield* one.exchange("idle"), 1)
      })
    )

    it.live("leave though the database does not answer", () =>
      Effect.gen(function* () {
        const url = yield* urlOf(yield* newDatabase)
        const scope = yield* Scope.make()
        yield* Scope.provide(join(settingsFor(url, 1)), scope)
        const { sql } = Context.get(yield* Layer.build(ClusterDatabase.layer(url)), ClusterDatabase.ClusterDatabase)
        const locked = yield* Deferred.make<void>()
        const holding = Effect.andThen(sql`LOCK TABLE sluice_members`, Deferred.succeed(locked, undefined))
        yield* Effect.forkScoped(sql.withTransaction(Effect.andThen(holding, Effect.never)))
        yield* Deferred.await(locked)
        yield* Scope.close(scope, Exit.void)
      })
    )

    it.live("give up joining, with what to look for, when something else holds their table", () =>
      Effect.gen(function* () {
        const url = yield* urlOf(yield* newDatabase)
        yield* join(settingsFor(url, 1))
        const { sql } = Context.get(yield* Layer.build(ClusterDatabase.layer(url)), ClusterDatabase.ClusterDatabase)
        const locked = yield* Deferred.make<void>()
        const holding = Effect.andThen(sql`LOCK TABLE sluice_members`, Deferred.succeed(locked, undefined))
        yield* Effect.forkScoped(sql.withTransaction(Effect.andThen(holding, Effect.never)))
        yield* Deferred.await(locked)
        const late = join(settingsFor(url, 2), "100 millis")
        const error = yield* Effect.flip(Effect.scoped(late))
        assert.include("detail" in error ? error.detail : "", "not joined within 100ms")
        assert.include("detail" in error ? error.detail : "", "sluice_members")
      })
    )

    it.live("keep out who would share the tenants in another way, each with what to do", () =>
      Effect.gen(function* () {
        const database = yield* newDatabase
        const url = yield* urlOf(database)
        yield* join(settingsFor(url, 1))
        assert.include(yield* refusal(settingsFor(url, 2, { shards: 128 })), "CLUSTER_SHARDS is 128, but 96")
        const foreign = Redacted.make("another-token-0123456789abcdef01")
        assert.include(yield* refusal(settingsFor(url, 2, { token: foreign })), "give all runners the same")
        yield* execute(database, "UPDATE sluice_members SET machine = 'elsewhere'")
        assert.include(yield* refusal(settingsFor(url, 1)), "set CLUSTER_HOST")
        for (const change of ["effect = '4.1.99'", "protocol = protocol + 1"]) {
          yield* execute(database, `UPDATE sluice_members SET machine = 'elsewhere', ${change}`)
          assert.include(yield* refusal(settingsFor(url, 2)), "stop all runners, then start this release")
        }
        // One that has been silent is not asked.
        yield* execute(database, "UPDATE sluice_members SET seen_at = now() - interval '7 seconds'")
        yield* join(settingsFor(url, 2))
      })
    )

    it.live("let a runner that was killed start again at once", () =>
      Effect.gen(function* () {
        const database = yield* newDatabase
        const url = yield* urlOf(database)
        yield* join(settingsFor(url, 1))
        const again = yield* join(settingsFor(url, 1))
        assert.lengthOf(yield* again.exchange("new"), 1)
      })
    )
  }
)

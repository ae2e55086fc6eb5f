// The store in Postgres under the clock of a test: its time is a row, which follows the test's clock.
import { Clock, Effect, Layer } from "effect"
import * as Reactivity from "effect/reactivity/Reactivity"
import { onRealClock } from "../clock.ts"
import * as Connection from "../../../src/layers/postgres/database/Connection.ts"
import { make, PostgresDatabase } from "../../../src/layers/postgres/database/PostgresDatabase.ts"
import { execute, newDatabase, urlOf } from "./server.ts"

/** Replaces the database's clock by a row. */
const clockOfTests = [
  "CREATE UNLOGGED TABLE IF NOT EXISTS test_clock (now bigint NOT NULL)",
  "INSERT INTO test_clock SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM test_clock)",
  "CREATE OR REPLACE FUNCTION store_now() RETURNS bigint LANGUAGE sql VOLATILE AS 'SELECT now FROM test_clock'"
]

/** Rows are few, and removing them takes less than making the tables' files anew. Counters are set, not counted down. */
const empty = `
  DO $$ DECLARE name text; BEGIN
    SET LOCAL session_replication_role = replica;
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = current_schema()
      AND tablename NOT IN ('counter_shards', 'counter_peaks', 'sluice_migrations', 'test_clock')
    LOOP
      EXECUTE 'DELETE FROM ' || quote_ident(name);
    END LOOP;
    UPDATE counter_shards SET waiting = 0, running = 0, processed = 0, failed = 0, stored = 0, owed = 0;
    UPDATE counter_peaks SET waiting = 0, running = 0;
    UPDATE test_clock SET now = 0;
  END $$`

/** What the clock of a database was set to last. */
const moments = new Map<string, number>()

/** Before each call the database's clock is set to the caller's. Waits of the client itself take real time. */
const onTestClock = (name: string, database: PostgresDatabase["Service"]): PostgresDatabase["Service"] => {
  const follow = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    if (moments.get(name) === now) return
    yield* onRealClock(database.run("set the clock", (db) => db.all("UPDATE test_clock SET now = $1", BigInt(now))))
    // Not before: a call of the same moment would go on under the earlier time.
    moments.set(name, now)
  })
  return {
    run: (operation, work) => Effect.andThen(follow, onRealClock(database.run(operation, work))),
    transact: (operation, work) => Effect.andThen(follow, onRealClock(database.transact(operation, work)))
  }
}

/** One more process over the database, whose tables are there. */
export const databaseLayer = (name: string): Layer.Layer<PostgresDatabase, unknown> =>
  Layer.effect(
    PostgresDatabase,
    Effect.gen(function* () {
      const client = yield* onRealClock(Connection.makeClient({ url: yield* urlOf(name), connections: 6 }))
      return onTestClock(name, make(client))
    })
  ).pipe(Layer.provide(Reactivity.layer))

/** Makes one database for all tests of a file; each use of it is the name of that database, emptied. */
export const emptied = (): Effect.Effect<string, unknown> => {
  let made: string | undefined
  return Effect.gen(function* () {
    if (made === undefined) {
      const name = yield* newDatabase
      yield* Effect.scoped(
        Effect.andThen(Effect.asVoid(urlOf(name)), Layer.build(Connection.layer({ url: yield* urlOf(name) })))
      ).pipe(onRealClock)
      yield* execute(name, ...clockOfTests)
      made = name
    }
    yield* execute(made, empty)
    moments.set(made, 0)
    return made
  })
}

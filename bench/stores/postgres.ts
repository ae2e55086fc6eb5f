// The service over Postgres against the service over SQLite, side by side: acceptances, and one large file.
import { Console, Effect, Schema } from "effect"
import { prosePdf, type Report } from "../material.ts"
import { rest, runClient } from "../peers/accepting.ts"
import { ask } from "../peers/processes.ts"
import { processorSeconds } from "../peers/processorTime.ts"
import { figuresOf, interleave, rowsOf } from "../peers/rounds.ts"
import { type Running, startPostgres } from "../peers/services.ts"
import { startSluiceWith, type Subject } from "../peers/subjects.ts"
import type { Found } from "../result.ts"
import { type Client, makeClient } from "../speed/client.ts"
import { type Environment, makeReader, type Service, startService } from "../speed/service.ts"

const connections = 64
const largePages = 1000
/** Functions of the profile that are shown. */
const shown = 15

const Costs = Schema.Struct({ costs: Schema.Array(Schema.Struct({ name: Schema.String, share: Schema.Number })) })

const urlOf = ({ port }: Running) => `postgres://postgres@127.0.0.1:${port}/postgres`

const overPostgres = (environment: Environment) =>
  Effect.map(startPostgres, (database) => ({ ...environment, DATABASE_URL: urlOf(database) }))

interface Candidate {
  readonly name: string
  readonly service: Service
  /** Processes of the database beside the service; empty for SQLite. */
  readonly database: ReadonlyArray<number>
  readonly read: ReturnType<typeof makeReader>
}

const makeCandidate = Effect.fnUntraced(function* (
  name: string,
  environment: Environment,
  database: ReadonlyArray<number>,
  file: Uint8Array
) {
  const service = yield* startService({ environment })
  const subject: Subject = { ...service.subject, name }
  yield* rest(service.subject)
  const candidate: Candidate = {
    name,
    service: { ...service, subject },
    database,
    read: makeReader(service, [{ tenant: "bench", bytes: file }])
  }
  return candidate
})

/** What was used while it ran: processor time of the main process and of the database, in milliseconds for each of `count`. */
const used = <A, E, R>({ database, service }: Candidate, count: (found: A) => number, run: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const before = yield* service.processor
    const databaseBefore = yield* processorSeconds(database)
    const found = yield* run
    const after = yield* service.processor
    const each = (seconds: number) => (seconds * 1000) / count(found)
    return {
      ...found,
      main: each(after.main - before.main),
      database: each((yield* processorSeconds(database)) - databaseBefore)
    }
  })

const ratio = (what: string, figures: ReadonlyMap<string, ReadonlyArray<number>>): Report[number] => {
  const others = figures.get("SQLite") ?? []
  return {
    name: `ratio, ${what}, Postgres / SQLite`,
    unit: "",
    figures: (figures.get("Postgres") ?? []).map((figure, round) => figure / (others[round] ?? Number.NaN))
  }
}

/** Where the main process's time goes, with a service and a database of their own, because a profile costs time. */
const profile = Effect.fnUntraced(function* (
  what: string,
  environment: Environment,
  make: (subject: Subject, client: Client) => Effect.Effect<Effect.Effect<unknown>>
) {
  const preload = new URL("../speed/profile.mjs", import.meta.url)
  const { child, subject } = yield* startSluiceWith({ environment: yield* overPostgres(environment), preload })
  const run = yield* make(subject, yield* makeClient(subject.url, 16))
  yield* run
  yield* ask(child, { profile: "start" })
  yield* run
  const { costs } = yield* Effect.orDie(Schema.decodeUnknownEffect(Costs)(yield* ask(child, { profile: "stop" })))
  yield* Console.log(`# where the time of the main process goes, ${what}`)
  for (const { name, share } of costs.slice(0, shown)) {
    yield* Console.log(`#   ${(share * 100).toFixed(1).padStart(5)} %  ${name}`)
  }
}, Effect.scoped)

export const postgres = Effect.fnUntraced(function* (rounds: number, seconds: number, environment: Environment) {
  const file = prosePdf(largePages, 0)
  const database = yield* startPostgres
  const candidates = [
    yield* makeCandidate("SQLite", environment, [], file),
    yield* makeCandidate("Postgres", { ...environment, DATABASE_URL: urlOf(database) }, [database.pid], file)
  ]
  const accepts = yield* interleave(candidates, rounds, (candidate) =>
    used(
      candidate,
      ({ perSecond }) => perSecond * seconds,
      runClient(candidate.service.subject.url, connections, seconds)
    )
  )
  const reading = yield* interleave(candidates, rounds, (candidate) =>
    used(candidate, () => largePages, candidate.read)
  )
  const perSecond = figuresOf(accepts, (round) => round.perSecond)
  const pages = figuresOf(reading, (round) => largePages / round.seconds)
  const rows: Report = [
    ...rowsOf(`accepts, ${connections} connections, `, "documents/s", perSecond),
    ratio("accepts", perSecond),
    ...rowsOf(
      "accept latency, p99, ",
      "ms",
      figuresOf(accepts, (round) => round.p99)
    ),
    ...rowsOf(
      "processor time of an accept, main process, ",
      "ms",
      figuresOf(accepts, (round) => round.main)
    ),
    ...rowsOf(
      "processor time of an accept, database, ",
      "ms",
      figuresOf(accepts, (round) => round.database)
    ),
    ...rowsOf("one large file, ", "pages/s", pages),
    ratio("one large file", pages),
    ...rowsOf(
      "processor time of a page, main process, ",
      "ms",
      figuresOf(reading, (round) => round.main)
    ),
    ...rowsOf(
      "processor time of a page, database, ",
      "ms",
      figuresOf(reading, (round) => round.database)
    )
  ]
  yield* profile("accepting over Postgres", environment, (subject) =>
    Effect.as(rest(subject), runClient(subject.url, connections, seconds))
  )
  yield* profile("reading over Postgres", environment, (_, client) =>
    Effect.succeed(makeReader({ client }, [{ tenant: "bench", bytes: file }]))
  )
  const found: Found = { rows, subjects: candidates.map(({ service }) => service.subject) }
  return found
}, Effect.scoped)

// Durable accepts: 202 after the file and what is to be done with it are on the disk.
import { Effect } from "effect"
import { prosePdf, type Report } from "./material.ts"
import { rest, runClient } from "./peers/accepting.ts"
import type { Found } from "./result.ts"
import { type Client, queueStatus, upload } from "./speed/client.ts"
import { type Environment, startService } from "./speed/service.ts"
import { percentile } from "./statistics.ts"

const connections = 64

/** As many as the service takes. Nothing is read meanwhile: all tenants are paused. */
export const accepting = Effect.fnUntraced(function* (rounds: number, seconds: number, environment: Environment) {
  const service = yield* startService({ environment })
  yield* rest(service.subject)
  yield* runClient(service.subject.url, connections, Math.min(2, seconds))
  const round = Effect.gen(function* () {
    const before = yield* service.processor
    yield* service.eventLoop
    const figures = yield* runClient(service.subject.url, connections, seconds)
    const after = yield* service.processor
    const { p99: delay } = yield* service.eventLoop
    return { ...figures, delay, main: ((after.main - before.main) * 1000) / (figures.perSecond * seconds) }
  })
  const measured = yield* Effect.replicateEffect(round, rounds)
  const row = (name: string, unit: string, figure: (round: (typeof measured)[number]) => number) => ({
    name,
    unit,
    figures: measured.map(figure)
  })
  const found: Found = {
    subjects: [service.subject],
    rows: [
      row(`accepts, ${connections} connections`, "documents/s", ({ perSecond }) => perSecond),
      row("accept latency, p50", "ms", ({ p50 }) => p50),
      row("accept latency, p99", "ms", ({ p99 }) => p99),
      row("processor time of an accept, main process", "ms", ({ main }) => main),
      row("event-loop delay of the service, p99", "ms", ({ delay }) => delay)
    ]
  }
  return found
}, Effect.scoped)

const streamPeriodMillis = 50
const streamSeconds = 15
const modest = "modest"

/** Heavy tenants and the large documents that each of them has unfinished. */
const heavy = ["heavy-0", "heavy-1", "heavy-2", "heavy-3"]
const heavyDocuments = 12
const heavyPages = 1000

/** Small files of one tenant at a fixed rate, whatever became of those before. The milliseconds to each answer. */
const stream = Effect.fnUntraced(function* (client: Client, seconds: number, salt: number) {
  const file = prosePdf(1, 0)
  // Bytes behind the end of a PDF are ignored, and make every file another one.
  const distinct = (index: number) => Buffer.concat([file, Buffer.from(`\n% ${salt} ${index}\n`)])
  const one = (index: number) =>
    Effect.gen(function* () {
      yield* Effect.sleep(index * streamPeriodMillis)
      const body = distinct(index)
      const start = performance.now()
      const status = yield* client.discard({
        method: "POST",
        path: "/v1/documents",
        tenant: modest,
        type: "application/pdf",
        body
      })
      if (status !== 202) return yield* Effect.die(`an upload was answered with ${status}`)
      return performance.now() - start
    })
  return yield* Effect.forEach(
    Array.from({ length: (seconds * 1000) / streamPeriodMillis }),
    (_, index) => one(index),
    {
      concurrency: "unbounded"
    }
  )
})

/** A modest stream of uploads on an idle service, and on the same one while its workers have more to do than they can. */
export const saturated = Effect.fnUntraced(function* (rounds: number, environment: Environment) {
  const service = yield* startService({ environment })
  const { client } = service
  const large = prosePdf(heavyPages, 0)
  let salt = 0
  const measure = Effect.gen(function* () {
    yield* service.eventLoop
    const latencies = yield* stream(client, streamSeconds, salt++)
    const { p99: delay } = yield* service.eventLoop
    return { p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99), delay }
  })
  const untilIdle = Effect.gen(function* () {
    while (true) {
      const { processing, queue_size } = yield* queueStatus(client)
      if (processing === 0 && queue_size === 0) return
      yield* Effect.sleep("100 millis")
    }
  })
  const underLoad = Effect.gen(function* () {
    const documents = yield* Effect.forEach(
      Array.from({ length: heavy.length * heavyDocuments }, (_, index) => heavy[index % heavy.length] ?? ""),
      (tenant) => Effect.map(upload(client, tenant, large), (id) => ({ tenant, id })),
      { concurrency: heavy.length }
    )
    yield* Effect.sleep("1 second")
    const figures = yield* measure
    if ((yield* queueStatus(client)).queue_size === 0) return yield* Effect.die("the backlog was too small")
    yield* Effect.forEach(documents, ({ id, tenant }) =>
      client.discard({ method: "DELETE", path: `/v1/documents/${id}`, tenant })
    )
    return figures
  })
  yield* stream(client, 2, -1)
  const measured: Array<{ readonly idle: Figures; readonly loaded: Figures }> = []
  for (let round = 0; round < rounds; round++) {
    yield* untilIdle
    yield* Effect.sleep("1 second")
    const idle = yield* measure
    measured.push({ idle, loaded: yield* underLoad })
  }
  const row = (name: string, unit: string, figure: (round: (typeof measured)[number]) => number) => ({
    name,
    unit,
    figures: measured.map(figure)
  })
  const rows: Report = [
    row("accept latency, idle, p50", "ms", ({ idle }) => idle.p50),
    row("accept latency, idle, p99", "ms", ({ idle }) => idle.p99),
    row("accept latency, workers saturated, p50", "ms", ({ loaded }) => loaded.p50),
    row("accept latency, workers saturated, p99", "ms", ({ loaded }) => loaded.p99),
    row("ratio, accept latency p99", "saturated / idle", ({ idle, loaded }) => loaded.p99 / idle.p99),
    row("event-loop delay, workers saturated, p99", "ms", ({ loaded }) => loaded.delay)
  ]
  const found: Found = { rows, subjects: [service.subject] }
  return found
}, Effect.scoped)

interface Figures {
  readonly p50: number
  readonly p99: number
  readonly delay: number
}

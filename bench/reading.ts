import { monitorEventLoopDelay } from "node:perf_hooks"
import { Duration, Effect, Schedule, Stream } from "effect"
import { Ingestion } from "../src/actors/Ingestion.ts"
import { PdfEngine } from "../src/services/PdfEngine.ts"
import { prosePdf, type Report } from "./material.ts"
import { layerService, serviceUrl } from "./service.ts"

const rangePages = 16
const concurrency = 3
const smallFileCount = 300
const tenants = 20

/** Opens and reads a file with as many ranges at once as there are workers. The number of its pages. */
const readBare = Effect.fnUntraced(function* (key: string, bytes: Uint8Array, lanes: number) {
  const engine = yield* PdfEngine
  const pdf = { key, location: { _tag: "Bytes", bytes } as const, password: undefined }
  const { pageCount } = yield* engine.open(pdf)
  const ranges: Array<ReadonlyArray<number>> = []
  for (let first = 1; first <= pageCount; first += rangePages) {
    ranges.push(Array.from({ length: Math.min(rangePages, pageCount - first + 1) }, (_, index) => first + index))
  }
  yield* Effect.forEach(ranges, (range) => Stream.runDrain(engine.read(pdf, range, concurrency)), {
    concurrency: lanes,
    discard: true
  })
  yield* engine.close(key)
  return pageCount
})

const upload = Effect.fnUntraced(function* (url: string, bytes: Uint8Array, tenant: string) {
  const headers = { "content-type": "application/pdf", "x-tenant-id": tenant }
  yield* Effect.promise(() => fetch(`${url}/v1/documents?force=true`, { method: "POST", headers, body: bytes.slice() }))
})

/** Waits until the engine has processed this many documents in all. */
const processed = Effect.fnUntraced(function* (count: number) {
  const ingestion = yield* Ingestion
  yield* Effect.repeat(ingestion.queueStatus(), {
    schedule: Schedule.spaced("10 millis"),
    until: (status) => status.processed >= count
  })
})

const seconds = <E, R>(work: Effect.Effect<unknown, E, R>) =>
  Effect.map(Effect.timed(work), ([took]) => Duration.toSeconds(took))

/** Runs both in turn, after one round to warm up. */
const sideBySide = Effect.fnUntraced(function* <E, R, E2, R2>(
  rounds: number,
  bare: Effect.Effect<unknown, E, R>,
  service: (round: number) => Effect.Effect<unknown, E2, R2>
) {
  const times: Array<{ readonly bare: number; readonly service: number }> = []
  for (let round = 0; round <= rounds; round++) {
    const pair = { bare: yield* seconds(bare), service: yield* seconds(service(round)) }
    if (round > 0) times.push(pair)
  }
  return times
})

/** One large file: all of the service against the bare loop, and how long the main process made others wait meanwhile. */
export const reading = (bytes: Uint8Array, rounds: number) =>
  Effect.gen(function* () {
    const url = yield* serviceUrl
    const { capacity } = yield* PdfEngine
    const delay = monitorEventLoopDelay({ resolution: 5 })
    const delays: Array<number> = []
    const pages = yield* readBare("warm up", bytes, capacity)
    const service = Effect.fnUntraced(function* (round: number) {
      delay.reset()
      delay.enable()
      yield* upload(url, bytes, "bench")
      yield* processed(round + 1)
      delay.disable()
      if (round > 0) delays.push(delay.percentile(99) / 1e6)
    })
    const times = yield* sideBySide(rounds, readBare("bare", bytes, capacity), service)
    const report: Report = [
      { name: "one large file, bare loop", unit: "pages/s", figures: times.map(({ bare }) => pages / bare) },
      { name: "one large file, service", unit: "pages/s", figures: times.map(({ service }) => pages / service) },
      { name: "ratio", unit: "service / bare", figures: times.map(({ bare, service }) => bare / service) },
      { name: "event-loop delay of the service, p99", unit: "ms", figures: delays }
    ]
    return report
  }).pipe(Effect.provide(layerService))

/** Many small files of many tenants. */
export const smallFiles = (rounds: number) =>
  Effect.gen(function* () {
    const url = yield* serviceUrl
    const { capacity } = yield* PdfEngine
    const files = Array.from({ length: smallFileCount }, (_, index) => prosePdf(1 + (index % 5), index))
    const pages = files.reduce((sum, _, index) => sum + 1 + (index % 5), 0)
    const bare = Effect.forEach(files, (bytes, index) => readBare(`bare ${index}`, bytes, 1), {
      concurrency: capacity,
      discard: true
    })
    const service = Effect.fnUntraced(function* (round: number) {
      yield* Effect.forEach(files, (bytes, index) => upload(url, bytes, `tenant-${index % tenants}`), {
        concurrency: 16,
        discard: true
      })
      yield* processed((round + 1) * files.length)
    })
    const times = yield* sideBySide(rounds, bare, service)
    const report: Report = [
      { name: "many small files, bare loop", unit: "pages/s", figures: times.map(({ bare }) => pages / bare) },
      { name: "many small files, service", unit: "pages/s", figures: times.map(({ service }) => pages / service) },
      { name: "ratio", unit: "service / bare", figures: times.map(({ bare, service }) => bare / service) }
    ]
    return report
  }).pipe(Effect.provide(layerService))

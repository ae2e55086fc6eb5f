// What it costs the main process to be watched: not at all, by a scraper of its metrics, or by an OpenTelemetry collector.
import { createServer } from "node:http"
import { Duration, Effect, Schedule } from "effect"
import { prosePdf, type Report } from "./material.ts"
import { rest, runClient } from "./peers/accepting.ts"
import type { Found } from "./result.ts"
import { type Environment, type File, makeReader, type Service, startService } from "./speed/service.ts"

const smallFileCount = 300
const tenants = 20
const largePages = 1000
const connections = 16
const warmUps = 2
const scrapeCount = 50

/** Oftener than anybody asks, as a round is short. */
const scrapePeriod = "1 second"
/** Until the spans of a round are sent: every mode gets it, and pays for what it does in it. */
const settling = "2 seconds"
const spanDelay = "1000"

const metricsPeriod = "200"
const metricsSeconds = 5

/** Takes whatever comes over OTLP, and counts it. */
const startReceiver = Effect.gen(function* () {
  const taken = { requests: 0, bytes: 0 }
  const server = createServer((request, response) => {
    taken.requests++
    request.on("data", (chunk: Buffer) => (taken.bytes += chunk.length))
    request.on("end", () => response.writeHead(200, { "content-type": "application/x-protobuf" }).end())
  })
  yield* Effect.acquireRelease(
    Effect.callback<void>((resume) => {
      server.listen(0, "127.0.0.1", () => resume(Effect.void))
    }),
    () =>
      Effect.sync(() => {
        server.closeAllConnections()
        server.close()
      })
  )
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  return { url: `http://127.0.0.1:${port}`, taken: () => ({ ...taken }) }
})

const scrape = ({ client }: Service) => client.discard({ path: "/metrics" })

interface Mode {
  readonly name: string
  readonly scraped: boolean
  readonly environment: (url: string) => Environment
}

/** Metrics are sent once a minute at most, which is measured apart. */
const exporting = (share: string) => (url: string) => ({
  OTEL_EXPORTER_OTLP_ENDPOINT: url,
  OTEL_METRICS_EXPORTER: "none",
  OTEL_BSP_SCHEDULE_DELAY: spanDelay,
  OTEL_TRACES_SAMPLER: "parentbased_traceidratio",
  OTEL_TRACES_SAMPLER_ARG: share
})

const modes: ReadonlyArray<Mode> = [
  { name: "off", scraped: false, environment: () => ({}) },
  { name: "scraped each second", scraped: true, environment: () => ({}) },
  { name: "a tenth of the traces", scraped: false, environment: exporting("0.1") },
  { name: "all traces", scraped: false, environment: exporting("1.0") }
]

const smallFiles: ReadonlyArray<File> = Array.from({ length: smallFileCount }, (_, index) => ({
  tenant: `small-${index % tenants}`,
  bytes: prosePdf(1 + (index % 5), index)
}))

interface Work {
  readonly name: string
  /** How many of it were done. */
  readonly run: Effect.Effect<number>
}

/** Milliseconds of the main process's processor time, and what came of the work. */
const timed = Effect.fnUntraced(function* <A>({ processor }: Service, work: Effect.Effect<A>) {
  const before = yield* processor
  const result = yield* work
  const after = yield* processor
  return [(after.main - before.main) * 1000, result] as const
})

const start = Effect.fnUntraced(function* ({ environment, name, scraped }: Mode, seconds: number, shared: Environment) {
  const receiver = yield* startReceiver
  const service = yield* startService({ environment: { ...shared, ...environment(receiver.url) } })
  // The tenants of the uploads that nobody reads are paused; the files that are read are of others.
  yield* rest(service.subject)
  const small = makeReader(service, smallFiles)
  const large = makeReader(service, [{ tenant: "large", bytes: prosePdf(largePages, 0) }])
  const works: ReadonlyArray<Work> = [
    { name: "a small document", run: Effect.as(small, smallFileCount) },
    { name: "a page of a large file", run: Effect.as(large, largePages) },
    {
      name: "an accepted upload",
      run: Effect.map(runClient(service.subject.url, connections, seconds), ({ perSecond }) => perSecond * seconds)
    }
  ]
  const scraper = Effect.andThen(Effect.repeat(scrape(service), Schedule.spaced(scrapePeriod)), Effect.never)
  const measure = Effect.fnUntraced(function* ({ run }: Work) {
    const { bytes } = receiver.taken()
    const whole = Effect.tap(run, () => Effect.sleep(settling))
    const [millis, count] = yield* timed(service, scraped ? Effect.raceFirst(whole, scraper) : whole)
    return { millis: millis / count, bytes: (receiver.taken().bytes - bytes) / count }
  })
  for (const { run } of works) yield* Effect.replicateEffect(run, warmUps, { discard: true })
  yield* Effect.sleep(settling)
  return { name, service, works, measure }
})

/** What it costs to tell all metrics once: to a scraper, and to a collector. */
const startMetrics = Effect.fnUntraced(function* (shared: Environment) {
  const receiver = yield* startReceiver
  const exporter = {
    OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: `${receiver.url}/v1/metrics`,
    OTEL_METRIC_EXPORT_INTERVAL: metricsPeriod
  }
  const asked = yield* startService({ environment: shared })
  const telling = yield* startService({ environment: { ...shared, ...exporter } })
  // What is told are the series that there are after some work.
  yield* Effect.forEach([asked, telling], (service) => makeReader(service, smallFiles))
  return Effect.gen(function* () {
    const [scrapes] = yield* timed(asked, Effect.replicateEffect(scrape(asked), scrapeCount, { discard: true }))
    const { requests } = receiver.taken()
    const [exports] = yield* timed(telling, Effect.sleep(Duration.seconds(metricsSeconds)))
    return { scrape: scrapes / scrapeCount, export: exports / (receiver.taken().requests - requests) }
  })
})

/** All in turn, when all are warm; who goes first changes with each round. */
export const telemetry = Effect.fnUntraced(function* (rounds: number, seconds: number, environment: Environment) {
  const subjects = yield* Effect.forEach(modes, (mode) => start(mode, seconds, environment))
  const metrics = yield* startMetrics(environment)
  const figures = new Map<string, Array<{ readonly millis: number; readonly bytes: number }>>()
  const figuresOf = (work: string, mode: string) => figures.get(`${work}, ${mode}`) ?? []
  const told: Array<Effect.Success<typeof metrics>> = []
  const names = subjects[0]?.works.map(({ name }) => name) ?? []
  for (let round = 0; round < rounds; round++) {
    for (const [index, work] of names.entries()) {
      for (let turn = 0; turn < subjects.length; turn++) {
        const subject = subjects[(round + turn) % subjects.length]
        const own = subject?.works[index]
        if (subject === undefined || own === undefined) continue
        figures.set(`${work}, ${subject.name}`, [...figuresOf(work, subject.name), yield* subject.measure(own)])
      }
    }
    told.push(yield* metrics)
  }
  const rowsOf = (work: string, mode: string): Report => {
    const own = figuresOf(work, mode)
    const off = figuresOf(work, "off")
    const row = (name: string, unit: string, figure: (each: (typeof own)[number], round: number) => number) => ({
      name: `${name}, ${mode}`,
      unit,
      figures: own.map(figure)
    })
    return [
      row(work, "ms of processor time", ({ millis }) => millis),
      ...(own === off
        ? []
        : [row(`ratio, ${work}`, "watched / off", ({ millis }, round) => millis / (off[round]?.millis ?? Number.NaN))]),
      ...(own.some(({ bytes }) => bytes > 0) ? [row(`sent for ${work}`, "bytes", ({ bytes }) => bytes)] : [])
    ]
  }
  const found: Found = {
    subjects: subjects.map(({ name, service: { subject } }) => ({ ...subject, name: `Sluice, ${name}` })),
    rows: [
      ...names.flatMap((work) => modes.flatMap(({ name }) => rowsOf(work, name))),
      { name: "a scrape of the metrics", unit: "ms of processor time", figures: told.map(({ scrape }) => scrape) },
      { name: "an export of the metrics", unit: "ms of processor time", figures: told.map((each) => each.export) }
    ]
  }
  return found
}, Effect.scoped)

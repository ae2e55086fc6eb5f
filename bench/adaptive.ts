import { Clock, Console, Effect, Fiber, Schedule, Stream } from "effect"
import { Ingestion } from "../src/actors/Ingestion.ts"
import { PdfEngine } from "../src/services/PdfEngine.ts"
import { countWorkerTime, tenantOf, timeToResult } from "./load.ts"
import { costlyPdf, prosePdf, type Report } from "./material.ts"
import { layerServiceWith } from "./service.ts"
import { percentile } from "./statistics.ts"

const workerCounts = [2, 4, 8] as const
const modes = ["fixed", "adaptive"] as const
type Mode = (typeof modes)[number]

/** Documents that tenants send at once, and a small one that another tenant sends again and again meanwhile. */
const load = [
  { tenants: 4, documents: 1, pages: 200, lines: 45 },
  { tenants: 2, documents: 2, pages: 40, lines: 300 },
  { tenants: 1, documents: 2, pages: 10, lines: 1500 }
] as const
const smallDocumentEvery = "300 millis"
const warmUps = 16
const warmUpPages = 20

const documentsOf = (salt: number) =>
  load.flatMap(({ documents, lines, pages, tenants }, kind) =>
    Array.from({ length: tenants * documents }, (_, index) => ({
      tenant: tenantOf(`kind-${kind}-${index % tenants}`),
      bytes: lines === 45 ? prosePdf(pages, salt + index) : costlyPdf(pages, lines),
      pages
    }))
  )

interface Round {
  readonly pagesPerSecond: number
  readonly smallTimes: ReadonlyArray<number>
  /** Turns under way at once, on average. */
  readonly turns: number
}

const round = (workers: number, mode: Mode, salt: number) =>
  Effect.gen(function* () {
    const engine = yield* PdfEngine
    const ingestion = yield* Ingestion
    yield* Effect.repeat(engine.status, {
      schedule: Schedule.spaced("50 millis"),
      until: (status) => status.workers.length > workers
    })
    yield* Effect.forEach(
      Array.from({ length: warmUps }, (_, index) => prosePdf(warmUpPages, 1_000_000 + index)),
      (bytes, index) => timeToResult(tenantOf(`warm-${index % 4}`), bytes),
      { concurrency: workers, discard: true }
    )
    const documents = documentsOf(salt)
    const pages = documents.reduce((sum, document) => sum + document.pages, 0)
    const used = yield* countWorkerTime
    const before = (yield* ingestion.queueStatus()).processed
    const start = yield* Clock.currentTimeNanos
    const smallTimes: Array<number> = []
    const small = yield* Stream.fromSchedule(Schedule.fixed(smallDocumentEvery)).pipe(
      Stream.mapEffect((n) => timeToResult(tenantOf("small"), prosePdf(1, 2_000_000 + salt + n)), {
        concurrency: "unbounded"
      }),
      Stream.runForEach((time) => Effect.sync(() => smallTimes.push(time))),
      Effect.forkScoped
    )
    yield* Effect.forEach(documents, ({ bytes, tenant }) => timeToResult(tenant, bytes), {
      concurrency: "unbounded",
      discard: true
    })
    const seconds = Number((yield* Clock.currentTimeNanos) - start) / 1e9
    const workerMillis = [...used.values()].reduce((sum, millis) => sum + millis, 0)
    yield* Fiber.interrupt(small)
    const status = yield* ingestion.queueStatus()
    // What could not be read takes no time, and would count as read.
    if (status.failed > 0) return yield* Effect.die(`${status.failed} documents failed`)
    const processed = status.processed - before
    const result: Round = {
      pagesPerSecond: (pages + processed - documents.length) / seconds,
      smallTimes,
      turns: workerMillis / 1000 / seconds
    }
    return result
  }).pipe(
    Effect.scoped,
    Effect.provide(
      layerServiceWith({ PAGE_WORKERS: String(workers), PAGE_CONCURRENCY: mode, GLOBAL_PDF_CONCURRENCY: "16" })
    )
  )

/** The same load with as many turns at once as there are workers, and with as many as pages are fast: side by side. */
export const adaptive = (rounds: number) =>
  Effect.gen(function* () {
    const found = new Map<string, Array<Round>>()
    for (let n = 0; n < rounds; n++) {
      for (const workers of workerCounts) {
        // Who is first changes, as the machine may be slower at one time than at another.
        for (const mode of n % 2 === 0 ? modes : modes.toReversed()) {
          const result = yield* round(workers, mode, 10_000 * n)
          const name = `${workers} workers, ${mode}`
          found.set(name, [...(found.get(name) ?? []), result])
          yield* Console.error(
            `… ${name}: ${result.pagesPerSecond.toFixed(0)} pages/s, ${result.turns.toFixed(1)} turns at once, ` +
              `small documents ${result.smallTimes.map((time) => Math.round(time)).join(" ")} ms`
          )
        }
      }
    }
    const report: Report = workerCounts.flatMap((workers) =>
      modes.flatMap((mode) => {
        const name = `${workers} workers, ${mode}`
        const results = found.get(name) ?? []
        // Of all rounds together: a round has too few for a p99 of its own.
        const times = results.flatMap(({ smallTimes }) => smallTimes)
        return [
          { name, unit: "pages/s", figures: results.map(({ pagesPerSecond }) => pagesPerSecond) },
          { name: "", unit: "ms, small document, p50", figures: [percentile(times, 0.5)] },
          { name: "", unit: "ms, small document, p99", figures: [percentile(times, 0.99)] },
          { name: "", unit: "turns at once, mean", figures: results.map(({ turns }) => turns) }
        ]
      })
    )
    return report
  })

import { Console, Effect, Schedule, Stream } from "effect"
import type { TenantId } from "../src/domain/Ids.ts"
import { keepBacklog, countWorkerTime, tenantOf, timeToResult } from "./load.ts"
import { costlyPdf, prosePdf, type Report } from "./material.ts"
import { layerServiceWith } from "./service.ts"
import { jain, percentile } from "./statistics.ts"

const workers = 2
const environment = { PAGE_WORKERS: String(workers) }

/**
 * What the quiet tenant comes against: hot tenants, and the documents of 1,000 pages each of them keeps unfinished. Among 100
 * a page every second is more than an equal share; a page every five seconds is not.
 */
const loads = [
  { name: "alone", tenants: 0, documents: 0, every: 1 },
  { name: "1,000 pages of one tenant", tenants: 1, documents: 1, every: 1 },
  { name: "10,000 pages of one tenant", tenants: 1, documents: 10, every: 1 },
  { name: "100,000 pages of one tenant", tenants: 1, documents: 100, every: 1 },
  { name: "1,000 pages each of 12 tenants", tenants: 12, documents: 1, every: 1 },
  { name: "1,000 pages each of 100 tenants", tenants: 100, documents: 1, every: 1 },
  { name: "the same 100 tenants, every 5 s", tenants: 100, documents: 1, every: 5 }
] as const
type Load = (typeof loads)[number]

const warmUps = 10

/** Until all workers have started and read something: the first pages of a new worker take many times as long. */
const warmUp = (tenant: TenantId) =>
  Effect.forEach(
    Array.from({ length: warmUps }, (_, index) => prosePdf(1, 1_000_000 + index)),
    (bytes) => timeToResult(tenant, bytes),
    { concurrency: workers, discard: true }
  )

const quietTimes = ({ documents, every, tenants }: Load, seconds: number) =>
  Effect.gen(function* () {
    const quiet = tenantOf("quiet")
    const large = prosePdf(1000, 0)
    yield* warmUp(quiet)
    yield* Effect.forEach(
      Array.from({ length: tenants }, (_, index) => tenantOf(`hot-${index}`)),
      (tenant) => keepBacklog(tenant, large, documents),
      { concurrency: 4, discard: true }
    )
    // The first of the hot tenants have been served ahead of the others while those were uploading.
    yield* Effect.sleep("2 seconds")
    const used = yield* countWorkerTime
    const count = Math.ceil(seconds / every)
    const times = yield* Stream.range(1, count).pipe(
      Stream.schedule(Schedule.fixed(`${every} seconds`)),
      Stream.mapEffect((salt) => timeToResult(quiet, prosePdf(1, salt)), { concurrency: "unbounded" }),
      Stream.runCollect
    )
    return { times, workerMillis: (used.get(quiet) ?? 0) / count }
  }).pipe(Effect.scoped, Effect.provide(layerServiceWith(environment)))

/** A tenant that posts one page a second, alone and against the backlogs of others. */
export const quiet = (seconds: number) =>
  Effect.gen(function* () {
    const rows: Array<Report[number]> = []
    let unloaded = Number.NaN
    for (const load of loads) {
      const { name, tenants } = load
      const { times, workerMillis } = yield* quietTimes(load, seconds)
      const p99 = percentile(times, 0.99)
      yield* Console.error(`… ${name}: ${times.map((time) => Math.round(time)).join(" ")} ms`)
      if (tenants === 0) unloaded = p99
      rows.push({ name: `one page, ${name}`, unit: "ms, p50", figures: [percentile(times, 0.5)] })
      rows.push({ name: "", unit: "ms, p99", figures: [p99] })
      if (tenants > 0) rows.push({ name: "", unit: "ms, p99 above that alone", figures: [p99 - unloaded] })
      rows.push({ name: "", unit: "ms of a worker, mean", figures: [workerMillis] })
    }
    return rows
  })

/** Ten tenants whose documents have little in common: pages of a document, lines of a page, and documents kept unfinished. */
const mixture = [
  { pages: 1, lines: 45, documents: 200 },
  { pages: 1, lines: 900, documents: 100 },
  { pages: 3, lines: 10, documents: 100 },
  { pages: 5, lines: 200, documents: 50 },
  { pages: 10, lines: 45, documents: 50 },
  { pages: 30, lines: 400, documents: 10 },
  { pages: 100, lines: 45, documents: 10 },
  { pages: 100, lines: 1500, documents: 4 },
  { pages: 1000, lines: 10, documents: 4 },
  { pages: 1000, lines: 100, documents: 4 }
] as const

const windowSeconds = 30
const settleSeconds = 5
const windows = 2

/** Worker time of each tenant in each window. */
const windowsOf = Effect.fnUntraced(function* (tenants: ReadonlyArray<string>) {
  const used = yield* countWorkerTime
  yield* Effect.sleep(`${settleSeconds} seconds`)
  const found: Array<ReadonlyArray<number>> = []
  for (let window = 0; window < windows; window++) {
    const before = tenants.map((tenant) => used.get(tenantOf(tenant)) ?? 0)
    yield* Effect.sleep(`${windowSeconds} seconds`)
    found.push(tenants.map((tenant, index) => (used.get(tenantOf(tenant)) ?? 0) - (before[index] ?? 0)))
  }
  return found
})

const sum = (values: ReadonlyArray<number>) => values.reduce((total, value) => total + value, 0)

/** Worker time of ten equal tenants with very different documents, all backlogged. */
export const equalShares = Effect.gen(function* () {
  yield* warmUp(tenantOf("before"))
  const tenants = mixture.map(({ lines, pages }) => `tenant-${pages}x${lines}`)
  for (const [index, { documents, lines, pages }] of mixture.entries()) {
    yield* keepBacklog(tenantOf(tenants[index] ?? ""), costlyPdf(pages, lines), documents)
  }
  const found = yield* windowsOf(tenants)
  const report: Report = [
    { name: "ten equal tenants, 30 s windows", unit: "Jain's index", figures: found.map(jain) },
    {
      name: "workers' time in use",
      unit: "%",
      figures: found.map((used) => (sum(used) / (workers * windowSeconds * 1000)) * 100)
    },
    ...mixture.map(({ lines, pages }, index) => ({
      name: `  ${pages} pages of ${lines} lines`,
      unit: "% of all time used",
      figures: found.map((used) => ((used[index] ?? 0) / sum(used)) * 100)
    }))
  ]
  return report
}).pipe(Effect.scoped, Effect.provide(layerServiceWith(environment)))

const weights = [1, 2, 4] as const

/** Worker time of three tenants with weights, all backlogged. */
export const weightedShares = Effect.gen(function* () {
  yield* warmUp(tenantOf("before"))
  const tenants = weights.map((weight) => `weight-${weight}`)
  const bytes = prosePdf(1000, 0)
  for (const tenant of tenants) yield* keepBacklog(tenantOf(tenant), bytes, 4)
  const found = yield* windowsOf(tenants)
  const report: Report = weights.map((weight, index) => ({
    name: `weight ${weight} of 1:2:4, 30 s windows`,
    unit: "% off its share",
    figures: found.map((used) => ((used[index] ?? 0) / sum(used) / (weight / sum(weights)) - 1) * 100)
  }))
  return report
}).pipe(
  Effect.scoped,
  Effect.provide(
    layerServiceWith({
      ...environment,
      TENANT_LIMITS: JSON.stringify(Object.fromEntries(weights.map((weight) => [`weight-${weight}`, { weight }])))
    })
  )
)

/** What three runners do as one: their workers on one document, the shares of tenants over all of them, a quiet tenant's wait. */
import * as PgClient from "@effect/sql-pg/PgClient"
import { Clock, Duration, Effect, Redacted, Schedule, Stream } from "effect"
import * as Reactivity from "effect/reactivity/Reactivity"
import { costlyPdf, prosePdf, type Report } from "../material.ts"
import { jain, percentile } from "../statistics.ts"
import { busyWorkers, type Cluster, runnerCount, startCluster, untilEnded, upload, workersEach } from "./runners.ts"

const workers = runnerCount * workersEach
const sum = (values: ReadonlyArray<number>) => values.reduce((total, value) => total + value, 0)

/** The share of the workers that is busy, looked at again and again. */
const busyWhile = <A, E, R>({ runners }: Cluster, work: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const busy: Array<ReadonlyArray<number>> = []
    const look = Effect.map(Effect.forEach(runners, busyWorkers, { concurrency: "unbounded" }), (found) => {
      busy.push(found)
    })
    const [took] = yield* Effect.timed(Effect.raceFirst(work, Effect.repeat(look, Schedule.spaced("40 millis"))))
    // It is opened by one worker; then its pages are read by all.
    const between = (least: number) => {
      const isBusy = (each: ReadonlyArray<number>) => sum(each) >= least
      return busy.slice(busy.findIndex(isBusy), busy.findLastIndex(isBusy) + 1)
    }
    const all = (looks: typeof busy) => sum(looks.map(sum)) / (looks.length * workers)
    const read = between(2)
    const share = (index: number) => sum(read.map((each) => each[index] ?? 0)) / (read.length * workersEach)
    return { took, shares: runners.map((_, index) => share(index)), read: all(read), run: all(between(1)) }
  })

const warmUp = (cluster: Cluster) =>
  Effect.forEach(
    Array.from({ length: 4 * workers }, (_, index) => index),
    (index) => {
      const runner = cluster.runners[index % runnerCount] ?? cluster.runners[0]
      const tenant = `warm-${index % workers}`
      return Effect.flatMap(upload(runner, tenant, prosePdf(8, 500_000 + index)), (id) =>
        untilEnded(runner, tenant, id)
      )
    },
    { concurrency: workers, discard: true }
  )

/** One document of a thousand pages, and nothing else. */
export const clusterDocument = (rounds: number) =>
  Effect.gen(function* () {
    const cluster = yield* startCluster({})
    yield* warmUp(cluster)
    const found: Array<Effect.Success<ReturnType<typeof busyWhile<void, never, never>>>> = []
    for (let round = 0; round < rounds; round++) {
      const runner = cluster.runners[round % runnerCount] ?? cluster.runners[0]
      const bytes = prosePdf(1000, round)
      const work = Effect.flatMap(upload(runner, "one", bytes), (id) => untilEnded(runner, "one", id))
      found.push(yield* busyWhile(cluster, Effect.asVoid(work)))
    }
    const report: Report = [
      {
        name: `1,000 pages, ${runnerCount} runners of ${workersEach} workers, from upload to end`,
        unit: "pages/s",
        figures: found.map(({ took }) => 1000 / Duration.toSeconds(took))
      },
      ...cluster.runners.map((_, index) => ({
        name: `  workers of runner ${index + 1} at work`,
        unit: "%",
        figures: found.map(({ shares }) => (shares[index] ?? 0) * 100)
      })),
      {
        name: "  all workers at work, while its pages are read",
        unit: "%",
        figures: found.map(({ read }) => read * 100)
      },
      {
        name: "  the same with its opening, by one worker",
        unit: "%",
        figures: found.map(({ run }) => run * 100)
      }
    ]
    return report
  }).pipe(Effect.scoped)

/** How many documents of each tenant have not ended. */
const unfinishedOf = ({ sql }: Cluster) =>
  Effect.map(PgClient.make({ url: Redacted.make(sql), maxConnections: 1 }), (client) =>
    Effect.map(
      client<{ tenant: string; count: number }>`
        SELECT tenant_id AS tenant, count(*)::int AS count FROM documents WHERE status IN ('queued', 'running') GROUP BY tenant_id`,
      (rows) => new Map(rows.map((row) => [row.tenant, row.count]))
    ).pipe(Effect.orDie)
  ).pipe(Effect.provide(Reactivity.layer), Effect.orDie)

/** What tenants have had so far: milliseconds of workers, as their turns were settled, and pages. */
const hadOf = ({ sql }: Cluster) =>
  Effect.map(PgClient.make({ url: Redacted.make(sql), maxConnections: 1 }), (client) =>
    Effect.gen(function* () {
      const pages = yield* client<{ tenant: string; pages: number }>`
        SELECT tenant_id AS tenant, sum(pages_done)::int AS pages FROM documents GROUP BY tenant_id`
      const times = yield* client<{ tenant: string; time: number }>`
        SELECT substr(name, 2) AS tenant, virtual_time AS time FROM sluice_turn_shares WHERE name LIKE ':%'`
      return {
        pages: new Map(pages.map((row) => [row.tenant, row.pages])),
        virtualTimes: new Map(times.map((row) => [row.tenant, row.time]))
      }
    }).pipe(Effect.orDie)
  ).pipe(Effect.provide(Reactivity.layer), Effect.orDie)

const weights = [1, 2, 4] as const
const settleSeconds = 15
/** Long enough for several runners, and cheap to open: opening is worker time, too, but no pages. So many are kept unfinished. */
const file = { pages: 200, lines: 300, documents: 6 }

const due = (got: ReadonlyArray<number>, weight: number) => (sum(got) * weight) / sum(weights)
const off = (ratio: number | undefined) => ((ratio ?? Number.NaN) - 1) * 100

/** Tenants with weights, each with more than it can get. All have the same file, so pages are nearly worker time: all but
 * what it costs to open a file in one more worker. */
export const clusterShares = (seconds: number) =>
  Effect.gen(function* () {
    const tenants = weights.map((weight) => ({ weight, name: `weight-${weight}` }))
    const limits = tenants.map(({ name, weight }) => [name, { weight, documents: 3, pages: 24 }])
    const cluster = yield* startCluster({ TENANT_LIMITS: JSON.stringify(Object.fromEntries(limits)) })
    yield* warmUp(cluster)
    const bytes = costlyPdf(file.pages, file.lines)
    const unfinished = yield* unfinishedOf(cluster)
    const fillUp = Effect.flatMap(unfinished, (counts) =>
      Effect.forEach(tenants, ({ name }, index) =>
        Effect.replicateEffect(
          upload(cluster.runners[index % runnerCount] ?? cluster.runners[0], name, bytes),
          Math.max(0, file.documents - (counts.get(name) ?? 0)),
          { discard: true }
        )
      )
    )
    yield* fillUp
    yield* Effect.forkScoped(Effect.repeat(fillUp, Schedule.spaced("500 millis")))
    const had = yield* hadOf(cluster)
    yield* Effect.sleep(`${settleSeconds} seconds`)
    const before = yield* had
    yield* Effect.sleep(`${seconds} seconds`)
    const after = yield* had
    const grown = (of: "pages" | "virtualTimes", name: string) =>
      (after[of].get(name) ?? 0) - (before[of].get(name) ?? 0)
    const pages = tenants.map(({ name }) => grown("pages", name))
    // A virtual time grows by the time used over the weight.
    const millis = tenants.map(({ name, weight }) => grown("virtualTimes", name) * weight)
    const ratios = (got: ReadonlyArray<number>) => got.map((each, index) => each / due(got, weights[index] ?? 1))
    const report: Report = [
      { name: `pages of three tenants in ${seconds} s`, unit: "pages/s", figures: [sum(pages) / seconds] },
      { name: "worker time in use", unit: "%", figures: [(sum(millis) / (workers * seconds * 1000)) * 100] },
      ...tenants.flatMap(({ name }, index) => [
        { name: `  ${name} of 1:2:4, worker time`, unit: "% off its share", figures: [off(ratios(millis)[index])] },
        { name: `  ${name} of 1:2:4, pages`, unit: "% off its share", figures: [off(ratios(pages)[index])] }
      ]),
      { name: "  worker time over what was due", unit: "Jain's index", figures: [jain(ratios(millis))] },
      { name: "  pages over what was due", unit: "Jain's index", figures: [jain(ratios(pages))] }
    ]
    return report
  }).pipe(Effect.scoped)

const hotDocuments = 100

/** A tenant that sends a page every second, while another has a hundred thousand pages waiting. */
export const clusterQuiet = (seconds: number) =>
  Effect.gen(function* () {
    const cluster = yield* startCluster({})
    yield* warmUp(cluster)
    const [first] = cluster.runners
    const times = Effect.gen(function* () {
      const one = Effect.fnUntraced(function* (salt: number) {
        const runner = cluster.runners[salt % runnerCount] ?? first
        const start = yield* Clock.currentTimeMillis
        const id = yield* upload(runner, "quiet", prosePdf(1, salt))
        yield* untilEnded(runner, "quiet", id)
        return (yield* Clock.currentTimeMillis) - start
      })
      return yield* Stream.range(1, seconds).pipe(
        Stream.schedule(Schedule.fixed("1 second")),
        Stream.mapEffect(one, { concurrency: "unbounded" }),
        Stream.runCollect
      )
    })
    const alone = yield* times
    const bytes = prosePdf(1000, 0)
    yield* Effect.forEach(Array.from({ length: hotDocuments }), () => upload(first, "hot", bytes), { concurrency: 4 })
    yield* Effect.sleep("2 seconds")
    const beside = yield* times
    const report: Report = [
      { name: "one page, alone", unit: "ms, p50", figures: [percentile(alone, 0.5)] },
      { name: "", unit: "ms, p99", figures: [percentile(alone, 0.99)] },
      { name: "one page, 100,000 pages of another tenant wait", unit: "ms, p50", figures: [percentile(beside, 0.5)] },
      { name: "", unit: "ms, p99", figures: [percentile(beside, 0.99)] }
    ]
    return report
  }).pipe(Effect.scoped)

import { mkdirSync, writeFileSync } from "node:fs"
import { Effect } from "effect"
import { tenantOf } from "./load.ts"
import type { Report } from "./material.ts"
import { plot, type Series } from "./plot.ts"
import { Fifo, GlobalGateFirst, RoundRobin } from "./policies/Baselines.ts"
import { FairPolicy } from "./policies/FairPolicy.ts"
import { Job, type Policy, run } from "./policies/Model.ts"
import { jain, percentile } from "./statistics.ts"

const policies: ReadonlyArray<readonly [name: string, make: () => Policy]> = [
  ["Sluice", () => new FairPolicy()],
  ["global gate first", () => new GlobalGateFirst()],
  ["round robin by document", () => new RoundRobin()],
  ["FIFO by document", () => new Fifo()]
]

const quiet = tenantOf("quiet")
const quietPageMillis = 8

/** One page every 997 ms, so that no rhythm of the others is met again and again. */
const quietJobs = (seconds: number) =>
  Array.from({ length: seconds }, (_, index) => new Job(quiet, 1, quietPageMillis, 50 + index * 997))

/** Pages of a document and milliseconds of a page: what the ten tenants of the mixture have. */
const mixture = [
  [1, 4],
  [1, 400],
  [3, 8],
  [5, 30],
  [10, 8],
  [30, 40],
  [100, 8],
  [100, 150],
  [1000, 2],
  [1000, 12]
] as const
/** Each tenant comes with a minute of work at once. */
const millisEach = 60_000
const countedMillis = 60_000

const mixedJobs = () => {
  const jobs = mixture.flatMap(([pages, pageMillis], index) =>
    Array.from(
      { length: Math.ceil(millisEach / (pages * pageMillis)) },
      () => new Job(tenantOf(`tenant-${index}`), pages, pageMillis, 0)
    )
  )
  return [...jobs, ...quietJobs(60)]
}

const mixed = policies.flatMap(([name, make]) => {
  const { makespan, used, waits } = run(make(), mixedJobs(), countedMillis)
  const quietWaits = waits.get(quiet) ?? []
  const shares = mixture.map((_, index) => used.get(tenantOf(`tenant-${index}`)) ?? 0)
  return [
    { name: `mixture, ${name}`, unit: "ms, quiet tenant's wait, p50", figures: [percentile(quietWaits, 0.5)] },
    { name: "", unit: "ms, quiet tenant's wait, p99", figures: [percentile(quietWaits, 0.99)] },
    { name: "", unit: "Jain's index of the ten in the first minute", figures: [jain(shares)] },
    { name: "", unit: "s, makespan", figures: [makespan / 1000] }
  ]
})

const backlogs = [100, 300, 1_000, 3_000, 10_000, 30_000, 100_000] as const

/** One hot tenant with a backlog of documents of up to 1,000 pages of 8 ms. */
const waitBehind = (make: () => Policy, backlog: number) => {
  const pages = Math.min(backlog, 1_000)
  const hot = Array.from({ length: backlog / pages }, () => new Job(tenantOf("hot"), pages, quietPageMillis, 0))
  const { waits } = run(make(), [...hot, ...quietJobs(60)], 0)
  return Math.max(1, percentile(waits.get(quiet) ?? [], 0.99))
}

const folder = new URL("../docs/bench/", import.meta.url)

/** The same load under the engine's policy and under those it was chosen over, in a model; writes the plot of the documentation. */
export const comparePolicies = Effect.sync((): Report => {
  const series: ReadonlyArray<Series> = policies.map(([name, make]) => ({
    name,
    points: backlogs.map((backlog) => [backlog, waitBehind(make, backlog)] as const)
  }))
  mkdirSync(folder, { recursive: true })
  const title = "Wait of a one-page document, p99, behind one tenant's backlog"
  writeFileSync(new URL("policies.svg", folder), plot({ title, x: "pages in the backlog", y: "milliseconds", series }))
  const behind = series.flatMap(({ name, points }) =>
    points
      .filter(([backlog]) => [1_000, 10_000, 100_000].includes(backlog))
      .map(([backlog, wait]) => ({ name: `behind ${backlog} pages, ${name}`, unit: "ms, wait, p99", figures: [wait] }))
  )
  return [...mixed, ...behind]
})

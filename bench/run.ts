/**
 * Measures this machine, side by side in one run, and prints medians with their spread:
 *
 *     npm run bench -- [bench or group ...] [--rounds 5] [--seconds N] [--pdf FILE] [--env NAME=VALUE ...] [--json FOLDER]
 *
 *     speed      reading    one large file (--pdf, or a thousand pages of prose) against a bare loop
 *                small      many small files against a bare loop
 *                accepting  durable accepts over 64 connections, for 5 seconds (--seconds) a round
 *                saturated  latency of accepts, idle and while all workers have more to do than they can
 *                first      time to the first page on an idle service, against the engine alone
 *                backlog    memory, start and claims with a thousand and with a million queued documents
 *                detail     memory while a thousand pages are read and fetched with all their lines
 *     peers      peers-large, peers-small, peers-accepts   the service against BullMQ, graphile-worker and pg-boss
 *     fairness   quiet (30 seconds each, or --seconds), shares, weights, scheduler
 *     cluster    three runners over a Postgres of their own: cluster-document (workers busy with one document),
 *                cluster-shares (weights 1:2:4 for 30 seconds, or --seconds), cluster-quiet (a page beside 100,000)
 *     ocr        ocr-accuracy (pages drawn from known text), ocr-beside (text of one tenant beside the scan of another)
 *     others     policies, flood, estimates
 *                downstream calls of a server that refuses beyond four at once
 *                retrieval  recall@5 of the search: made documents, or --truth DIR with pdf and truth (Markdown) in it
 *                search     latency of 50,000 chunks, idle and while documents are put in; with --seconds of 5,000
 *                telemetry  processor time of the main process: not watched, scraped, and exporting a tenth or all of the traces
 *                postgres   the service over Postgres against the service over SQLite, and where its main process's time goes
 *
 * Without a name, those of `speed` run. The bare loop is the same pdf.js in the same page workers, with no store, no actors
 * and no HTTP. `speed` and `peers` measure the service as it is shipped, in a process of its own: SQLite, blobs and results
 * on the disk before they count, uploads over HTTP. `--env` (any number of times) starts it with a variable of `speed`'s.
 * With a folder, what each bench found is written there as <bench>.json, and all ratios as speed.svg.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect } from "effect"
import { accepting, saturated } from "./accepting.ts"
import { backlog } from "./backlog.ts"
import { barPlot } from "./bars.ts"
import { clusterDocument, clusterQuiet, clusterShares } from "./cluster/cluster.ts"
import { detail } from "./detail.ts"
import { equalShares, quiet, weightedShares } from "./fairness.ts"
import { downstream } from "./downstream.ts"
import { estimates } from "./estimates.ts"
import { first } from "./first.ts"
import { flood } from "./flood.ts"
import { prosePdf, type Report } from "./material.ts"
import { ocrAccuracy, ocrBeside } from "./ocr.ts"
import { peersBenches } from "./peers/peers.ts"
import { comparePolicies } from "./policies.ts"
import { reading, smallFiles } from "./reading.ts"
import { type Found, machine, resultOf, save } from "./result.ts"
import { quality, searchUnderLoad } from "./retrieval.ts"
import { scheduler } from "./scheduler.ts"
import { percentile } from "./statistics.ts"
import { barsOf } from "./targets.ts"
import { postgres } from "./stores/postgres.ts"
import { telemetry } from "./telemetry.ts"

const refuse = (message: string): never => {
  console.error(`bench: ${message}`)
  process.exit(2)
}

const parse = () => {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        rounds: { type: "string", default: "5" },
        seconds: { type: "string" },
        pdf: { type: "string" },
        truth: { type: "string" },
        env: { type: "string", multiple: true, default: [] },
        json: { type: "string" }
      }
    })
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error))
  }
}

const positive = (name: string, text: string) => {
  const value = Number(text)
  return Number.isInteger(value) && value > 0 ? value : refuse(`--${name} takes a whole number above 0, not "${text}"`)
}

const variable = (text: string) => {
  const [name = "", ...value] = text.split("=")
  return name === "" || value.length === 0
    ? refuse(`--env takes NAME=VALUE, not "${text}"`)
    : ([name, value.join("=")] as const)
}

const readPdf = (path: string) => {
  try {
    return new Uint8Array(readFileSync(path))
  } catch {
    return refuse(`"${path}" cannot be read`)
  }
}

const { positionals, values } = parse()
const rounds = positive("rounds", values.rounds)
const seconds = values.seconds === undefined ? undefined : positive("seconds", values.seconds)
const pdf = values.pdf === undefined ? undefined : readPdf(values.pdf)
const environment = Object.fromEntries(values.env.map(variable))

const rowsAlone = <E>(bench: Effect.Effect<Report, E>): Effect.Effect<Found, E> =>
  Effect.map(bench, (rows) => ({ rows }))

const peers = peersBenches({ rounds, pdf })

const benches: Record<string, Effect.Effect<Found, unknown>> = {
  reading: Effect.suspend(() => reading(pdf ?? prosePdf(1000, 0), rounds, environment)),
  small: Effect.suspend(() => smallFiles(rounds, environment)),
  accepting: accepting(rounds, seconds ?? 5, environment),
  saturated: saturated(rounds, environment),
  first: first(rounds, environment),
  backlog: Effect.scoped(backlog(rounds, environment)),
  detail: detail(rounds, environment),
  "peers-large": peers.large,
  "peers-small": peers.small,
  "peers-accepts": peers.accepts,
  quiet: rowsAlone(quiet(seconds ?? 30)),
  shares: rowsAlone(equalShares),
  weights: rowsAlone(weightedShares),
  scheduler: rowsAlone(scheduler(rounds)),
  policies: rowsAlone(comparePolicies),
  flood: rowsAlone(flood(rounds)),
  estimates: rowsAlone(estimates(rounds)),
  downstream: rowsAlone(downstream(rounds)),
  "ocr-accuracy": rowsAlone(ocrAccuracy(rounds)),
  "ocr-beside": rowsAlone(ocrBeside(rounds)),
  retrieval: Effect.suspend(() => rowsAlone(quality(values.truth))),
  search: Effect.suspend(() => rowsAlone(searchUnderLoad(seconds === undefined ? 50_000 : 5_000, seconds ?? 20))),
  postgres: postgres(rounds, seconds ?? 5, environment),
  telemetry: telemetry(rounds, seconds ?? 2, environment),
  "cluster-document": rowsAlone(clusterDocument(rounds)),
  "cluster-shares": rowsAlone(clusterShares(seconds ?? 30)),
  "cluster-quiet": rowsAlone(clusterQuiet(seconds ?? 30))
}

const groups: Record<string, ReadonlyArray<string>> = {
  speed: ["reading", "small", "accepting", "saturated", "first", "backlog", "detail"],
  peers: ["peers-large", "peers-small", "peers-accepts"],
  fairness: ["quiet", "shares", "weights", "scheduler"],
  ocr: ["ocr-accuracy", "ocr-beside"],
  cluster: ["cluster-document", "cluster-shares", "cluster-quiet"]
}

const benchesOf = (name: string) =>
  groups[name] ??
  (name in benches
    ? [name]
    : refuse(`there is no bench "${name}", but ${[...Object.keys(groups), ...Object.keys(benches)].join(", ")}`))

const chosen = (positionals.length > 0 ? positionals : ["speed"]).flatMap(benchesOf)

const rounded = (value: number) => (Math.abs(value) < 1000 ? value.toPrecision(4) : Math.round(value).toString())

const line = (name: string, unit: string, figures: ReadonlyArray<number>) => {
  const show = (share: number) => rounded(percentile(figures, share)).padStart(9)
  const [least, most] = figures.length > 1 ? [show(0), show(1)] : [" ".repeat(9), " ".repeat(9)]
  return `${name.padEnd(56)} ${least} ${show(0.5)} ${most}  ${unit}`
}

const program = Effect.gen(function* () {
  yield* Console.log(`${machine}, ${rounds} ${rounds === 1 ? "round" : "rounds"}\n`)
  yield* Console.log(`${"".padEnd(56)} ${["min", "median", "max"].map((word) => word.padStart(9)).join(" ")}`)
  for (const [name, bench] of chosen.map((name) => [name, benches[name]] as const)) {
    if (bench === undefined) continue
    const found = yield* bench
    // The benches against peers tell what they start themselves.
    const subjects = groups["peers"]?.includes(name) ? [] : (found.subjects ?? [])
    for (const { name, settings } of subjects) yield* Console.log(`# ${name}: ${settings}`)
    for (const row of found.rows) yield* Console.log(line(row.name, row.unit, row.figures))
    if (values.json === undefined) continue
    yield* save(values.json, resultOf(name, rounds, found))
    const bars = barsOf(values.json)
    if (bars.length > 0) writeFileSync(join(values.json, "speed.svg"), barPlot("Speed of Sluice against others", bars))
  }
})

NodeRuntime.runMain(Effect.scoped(program))

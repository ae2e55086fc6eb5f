/**
 * Measures this machine, side by side in one run, and prints medians with their spread:
 *
 *     npm run bench -- [reading] [small] [accepting] [fairness] [quiet] [shares] [weights] [scheduler] [policies]
 *       [flood] [estimates] [adaptive] [peers] [--rounds 5] [--seconds 30] [--pdf FILE]
 *
 * Reading speeds are ratios against a bare loop: the same pdf.js in the same page workers, with no store, no actors and no
 * HTTP. The service runs as it is shipped: SQLite with full synchronisation, blobs on disk, uploads over HTTP. `fairness` is
 * `quiet` (for so many seconds each), `shares`, `weights` and `scheduler` in turn; without a name, the first three run.
 */
import { readFileSync } from "node:fs"
import { cpus } from "node:os"
import { parseArgs } from "node:util"
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect } from "effect"
import { accepting } from "./accepting.ts"
import { adaptive } from "./adaptive.ts"
import { equalShares, quiet, weightedShares } from "./fairness.ts"
import { estimates } from "./estimates.ts"
import { flood } from "./flood.ts"
import { prosePdf, type Report } from "./material.ts"
import { comparePolicies } from "./policies.ts"
import { peers } from "./peers/peers.ts"
import { reading, smallFiles } from "./reading.ts"
import { scheduler } from "./scheduler.ts"

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "30" },
    pdf: { type: "string" }
  }
})
const rounds = Number(values.rounds)
const pdf = values.pdf === undefined ? undefined : new Uint8Array(readFileSync(values.pdf))

const fair = {
  quiet: quiet(Number(values.seconds)),
  shares: equalShares,
  weights: weightedShares,
  scheduler: scheduler(rounds)
}

const standard = ["reading", "small", "accepting"]
const benches: Record<string, Effect.Effect<Report, unknown>> = {
  reading: reading(pdf ?? prosePdf(1000, 0), rounds),
  small: smallFiles(rounds),
  accepting: accepting(rounds),
  ...fair,
  fairness: Effect.map(Effect.all(Object.values(fair)), (reports) => reports.flat()),
  policies: comparePolicies,
  flood: flood(rounds),
  estimates: estimates(rounds),
  adaptive: adaptive(rounds),
  peers: Effect.map(peers({ rounds, pdf }), (results) =>
    results.flatMap(({ rows }) => rows)
  )
}

const median = (sorted: ReadonlyArray<number>) => sorted[Math.floor(sorted.length / 2)] ?? Number.NaN

const rounded = (value: number) => (Math.abs(value) < 1000 ? value.toPrecision(4) : Math.round(value).toString())

const line = (name: string, unit: string, figures: ReadonlyArray<number>) => {
  const sorted = figures.toSorted((a, b) => a - b)
  const show = (value: number | undefined) => rounded(value ?? Number.NaN).padStart(9)
  const [least, most] = sorted.length > 1 ? [show(sorted[0]), show(sorted.at(-1))] : [" ".repeat(9), " ".repeat(9)]
  return `${name.padEnd(46)} ${least} ${show(median(sorted))} ${most}  ${unit}`
}

const program = Effect.gen(function* () {
  yield* Console.log(`${cpus().length} × ${cpus()[0]?.model ?? "?"}, Node ${process.versions.node}, ${rounds} rounds\n`)
  yield* Console.log(`${"".padEnd(46)} ${["min", "median", "max"].map((word) => word.padStart(9)).join(" ")}`)
  for (const name of positionals.length > 0 ? positionals : standard) {
    const bench = benches[name]
    if (bench === undefined) return yield* Effect.die(`there is no bench "${name}": ${Object.keys(benches).join(", ")}`)
    for (const row of yield* bench) yield* Console.log(line(row.name, row.unit, row.figures))
  }
})

NodeRuntime.runMain(Effect.scoped(program))

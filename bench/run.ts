/**
 * Measures this machine, side by side in one run, and prints medians with their spread:
 *
 *     npm run bench -- [reading] [small] [accepting] [--rounds 5] [--pdf FILE]
 *
 * Reading speeds are ratios against a bare loop: the same pdf.js in the same page workers, with no store, no actors and no
 * HTTP. The service runs as it is shipped: SQLite with full synchronisation, blobs on disk, uploads over HTTP.
 */
import { readFileSync } from "node:fs"
import { cpus } from "node:os"
import { parseArgs } from "node:util"
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect } from "effect"
import { accepting } from "./accepting.ts"
import { prosePdf, type Report } from "./material.ts"
import { reading, smallFiles } from "./reading.ts"

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string", default: "5" }, pdf: { type: "string" } }
})
const rounds = Number(values.rounds)

const benches: Record<string, Effect.Effect<Report, unknown>> = {
  reading: reading(values.pdf === undefined ? prosePdf(1000, 0) : new Uint8Array(readFileSync(values.pdf)), rounds),
  small: smallFiles(rounds),
  accepting: accepting(rounds)
}

const median = (sorted: ReadonlyArray<number>) => sorted[Math.floor(sorted.length / 2)] ?? Number.NaN

const line = (name: string, unit: string, figures: ReadonlyArray<number>) => {
  const sorted = figures.toSorted((a, b) => a - b)
  const show = (value: number | undefined) => (value ?? Number.NaN).toPrecision(4).padStart(9)
  return `${name.padEnd(46)} ${show(sorted[0])} ${show(median(sorted))} ${show(sorted.at(-1))}  ${unit}`
}

const program = Effect.gen(function* () {
  yield* Console.log(`${cpus().length} × ${cpus()[0]?.model ?? "?"}, Node ${process.versions.node}, ${rounds} rounds\n`)
  yield* Console.log(`${"".padEnd(46)} ${["min", "median", "max"].map((word) => word.padStart(9)).join(" ")}`)
  for (const name of positionals.length > 0 ? positionals : Object.keys(benches)) {
    const bench = benches[name]
    if (bench === undefined) return yield* Effect.die(`there is no bench "${name}": ${Object.keys(benches).join(", ")}`)
    for (const row of yield* bench) yield* Console.log(line(row.name, row.unit, row.figures))
  }
})

NodeRuntime.runMain(Effect.scoped(program))

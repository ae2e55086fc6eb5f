// Runs many seeds and tells what became of them: `npm run simulate -- [--seeds 1000] [--from 1] [--seed N] [--verbose] [--plant "..."]`.
import { createHash } from "node:crypto"
import { parseArgs } from "node:util"
import { NodeRuntime } from "@effect/platform-node"
import { Clock, Console, Effect } from "effect"
import { type PlantName, plants } from "./Plants.ts"
import { type Report, simulate } from "./Simulation.ts"

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1000" },
    from: { type: "string", default: "1" },
    seed: { type: "string" },
    plant: { type: "string" },
    verbose: { type: "boolean", default: false }
  }
})

const write = (text: string) => Effect.sync(() => void process.stdout.write(text))
/** Lets signals and output through between two seeds. */
const breath = Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))

const isPlant = (name: string | undefined): name is PlantName => name !== undefined && name in plants
const plant = isPlant(values.plant) ? plants[values.plant] : undefined

const tell = Effect.fnUntraced(function* ({ digest, seed, tail, violation }: Report) {
  if (violation === undefined) return
  yield* Console.log(`\nSeed ${seed} violates: ${violation.invariant}\n  ${violation.detail}\n`)
  yield* Console.log(`The last of its history (digest ${digest}):\n${tail.join("\n")}\n`)
  yield* Console.log(`Replay it with: npm run simulate -- --seed ${seed}${values.verbose ? "" : " --verbose"}`)
})

const program = Effect.gen(function* () {
  const from = Number(values.seed ?? values.from)
  const count = values.seed === undefined ? Number(values.seeds) : 1
  const verbose =
    values.verbose && values.seed !== undefined ? (line: string) => void process.stdout.write(`${line}\n`) : undefined
  const began = yield* Clock.currentTimeMillis
  const digest = createHash("sha256")
  const failing: Array<string> = []
  const faults: Record<string, number> = {}
  const sums = { documents: 0, refused: 0, pagesRead: 0, virtualMillis: 0, lines: 0 }
  for (let seed = from; seed < from + count; seed++) {
    const report = yield* simulate(seed, { plant, verbose })
    digest.update(report.digest)
    sums.documents += report.documents
    sums.refused += report.refused
    sums.pagesRead += report.pagesRead
    sums.virtualMillis += report.virtualMillis
    sums.lines += report.lines
    for (const [kind, times] of Object.entries(report.faults)) faults[kind] = (faults[kind] ?? 0) + times
    if (report.violation !== undefined) failing.push(report.seed)
    yield* tell(report)
    const done = seed - from + 1
    if (done % 50 === 0) yield* write(`${done} seeds, ${sums.documents} documents, ${sums.pagesRead} pages read\n`)
    yield* breath
  }
  const seconds = ((yield* Clock.currentTimeMillis) - began) / 1000
  const rows: ReadonlyArray<readonly [string, string | number]> = [
    ["seeds", count],
    ["failing seeds", failing.length === 0 ? 0 : `${failing.length}: ${failing.slice(0, 40).join(" ")}`],
    ["documents accepted", sums.documents],
    ["submissions refused", sums.refused],
    ["pages read", sums.pagesRead],
    ["virtual hours", (sums.virtualMillis / 3_600_000).toFixed(1)],
    ["events of history", sums.lines],
    ...Object.entries(faults)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([kind, times]) => [`fault ${kind}`, times] as const),
    ["wall seconds", seconds.toFixed(1)],
    ["digest", digest.digest("hex").slice(0, 16)]
  ]
  yield* Console.log(`\n${rows.map(([name, value]) => `${name.padEnd(24)}${value}`).join("\n")}`)
  if (failing.length > 0) process.exitCode = 1
})

NodeRuntime.runMain(program)

/**
 * Runs the benches against the peers alone:
 *
 *     node bench/peers/main.ts [large] [small] [accepts] [--rounds 5] [--pdf FILE] [--files 300] [--seconds 5]
 *       [--connections 64] [--workers 2] [--pg-connections 20] [--json FOLDER]
 *
 * `--workers` and `--pg-connections` tune the peers. With a folder, what each bench found is written there as
 * peers-<bench>.json.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect } from "effect"
import { peersBenches } from "./peers.ts"
import type { PeersResult } from "./rounds.ts"
import { defaultTuning } from "./subjects.ts"

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "5" },
    pdf: { type: "string" },
    files: { type: "string", default: "300" },
    seconds: { type: "string", default: "5" },
    connections: { type: "string", default: "64" },
    workers: { type: "string", default: String(defaultTuning.workers) },
    "pg-connections": { type: "string", default: String(defaultTuning.connections) },
    json: { type: "string" }
  }
})

const benches: Record<string, Effect.Effect<PeersResult, unknown>> = peersBenches({
  rounds: Number(values.rounds),
  pdf: values.pdf === undefined ? undefined : new Uint8Array(readFileSync(values.pdf)),
  files: Number(values.files),
  seconds: Number(values.seconds),
  connections: Number(values.connections),
  tuning: { workers: Number(values.workers), connections: Number(values["pg-connections"]) }
})

const show = (value: number | undefined) => (value ?? Number.NaN).toPrecision(4).padStart(10)

const print = Effect.fnUntraced(function* ({ bench, machine, rounds, rows }: PeersResult) {
  yield* Console.log(`\n${bench}: ${machine}, ${rounds} rounds\n${"".padEnd(46)}        min     median        max`)
  for (const { figures, name, unit } of rows) {
    const sorted = figures.toSorted((a, b) => a - b)
    const [least, middle, most] = [sorted[0], sorted[Math.floor(sorted.length / 2)], sorted.at(-1)].map(show)
    yield* Console.log(`${name.padEnd(46)} ${least} ${middle} ${most}  ${unit}`)
  }
  yield* Console.log("")
})

const program = Effect.gen(function* () {
  for (const name of positionals.length > 0 ? positionals : Object.keys(benches)) {
    const bench = benches[name]
    if (bench === undefined) return yield* Effect.die(`there is no bench "${name}": ${Object.keys(benches).join(", ")}`)
    const result = yield* bench
    yield* print(result)
    if (values.json !== undefined) {
      writeFileSync(join(values.json, `peers-${result.bench}.json`), `${JSON.stringify(result, undefined, 2)}\n`)
    }
  }
})

NodeRuntime.runMain(program)

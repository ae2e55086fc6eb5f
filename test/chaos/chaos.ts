// npm run chaos -- [--kills N] [--seed S] [--seconds S]
// npm run chaos -- --cluster [--minutes M] [--seed S] [--runners N] [--only kill|stop|term|postgres|grow|s3] [--leases]
//   [--env NAME=VALUE ...]
import { NodeRuntime } from "@effect/platform-node"
import { Clock, Config, Console, Data, Effect, Option, Redacted, Runtime } from "effect"
import { parseArgs } from "node:util"
import { runClusterChaos } from "./cluster/run.ts"
import { type TroubleName, troubleNames } from "./cluster/troubles.ts"
import { type Finding, isViolated, machine, table } from "./findings.ts"
import { runChaos } from "./run.ts"

class Violated extends Data.TaggedError("Violated")<{}> {
  override readonly [Runtime.errorReported] = false
}

const { values } = parseArgs({
  options: {
    kills: { type: "string" },
    seed: { type: "string" },
    seconds: { type: "string" },
    cluster: { type: "boolean", default: false },
    minutes: { type: "string" },
    runners: { type: "string" },
    only: { type: "string" },
    leases: { type: "boolean", default: false },
    env: { type: "string", multiple: true, default: [] }
  }
})
const number = (text: string | undefined, otherwise: number) => (text === undefined ? otherwise : Number(text))
const onProgress = (text: string) => process.stderr.write(`${text}\n`)

const isTrouble = (name: string): name is TroubleName => troubleNames.some((known) => known === name)
const only = (() => {
  const name = values.only
  if (name === undefined || isTrouble(name)) return name
  throw new Error(`--only takes one of ${troubleNames.join(", ")}`)
})()

/** Kills of one server. */
const ofOne = Effect.fnUntraced(function* (seed: number) {
  const kills = number(values.kills, 50)
  const seconds = number(values.seconds, 900)
  yield* Console.log(`seed ${seed}, ${kills} kills, at most ${seconds} s`)
  const report = yield* runChaos({ kills, seed, onProgress }).pipe(Effect.timeoutOption(seconds * 1000))
  if (Option.isSome(report)) return report.value.findings
  yield* Console.log(`seed ${seed}: not over within ${seconds} s`)
  return yield* new Violated()
})

/** Troubles of several servers over one database. */
const ofCluster = Effect.fnUntraced(function* (seed: number) {
  const minutes = number(values.minutes, 5)
  const runners = number(values.runners, 3)
  const url = yield* Config.option(Config.Redacted("DATABASE_URL"))
  const env = Object.fromEntries(
    values.env.map((text): readonly [string, string] => {
      const [name = "", ...value] = text.split("=")
      return [name, value.join("=")]
    })
  )
  yield* Console.log(
    `seed ${seed}, ${minutes} minutes, ${runners} runners${only === undefined ? "" : `, ${only} only`}`
  )
  return yield* runClusterChaos({
    minutes,
    seed,
    runners,
    only,
    env,
    originals: "s3",
    databaseUrl: Option.getOrUndefined(Option.map(url, Redacted.value)),
    isCluster: !values.leases,
    onProgress
  })
})

const program = Effect.gen(function* () {
  const startedAt = yield* Clock.currentTimeMillis
  const seed = number(values.seed, startedAt % 1_000_000)
  const findings: ReadonlyArray<Finding> = yield* values.cluster ? ofCluster(seed) : ofOne(seed)
  const took = Math.round(((yield* Clock.currentTimeMillis) - startedAt) / 1000)
  yield* Console.log(`\n${table(findings)}\n`)
  yield* Console.log(`seed ${seed}, ${took} s, ${machine}`)
  if (findings.some(isViolated)) return yield* new Violated()
})

NodeRuntime.runMain(program)

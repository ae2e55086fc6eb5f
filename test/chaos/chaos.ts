// npm run chaos -- [--kills N] [--seed S] [--seconds S]
import { NodeRuntime } from "@effect/platform-node"
import { Clock, Console, Data, Effect, Option, Runtime } from "effect"
import { cpus, totalmem, type } from "node:os"
import { parseArgs } from "node:util"
import { isViolated } from "./audit.ts"
import { type Report, runChaos } from "./run.ts"

class Violated extends Data.TaggedError("Violated")<{}> {
  override readonly [Runtime.errorReported] = false
}

const { values } = parseArgs({
  options: { kills: { type: "string" }, seed: { type: "string" }, seconds: { type: "string" } }
})
const number = (text: string | undefined, otherwise: number) => (text === undefined ? otherwise : Number(text))

const table = ({ findings }: Report): string =>
  findings
    .map((finding) => {
      const bound = finding.allowed === undefined ? "" : finding.allowed === 0 ? "0" : `at most ${finding.allowed}`
      const row = `| ${finding.what} | ${finding.found} | ${bound} | ${isViolated(finding) ? "VIOLATED" : ""} |`
      return isViolated(finding) ? [row, ...(finding.detail ?? []).slice(0, 20).map((line) => `    ${line}`)] : [row]
    })
    .flat()
    .join("\n")

const program = Effect.gen(function* () {
  const startedAt = yield* Clock.currentTimeMillis
  const kills = number(values.kills, 50)
  const seed = number(values.seed, startedAt % 1_000_000)
  const seconds = number(values.seconds, 900)
  yield* Console.log(`seed ${seed}, ${kills} kills, at most ${seconds} s`)
  const report = yield* runChaos({ kills, seed, onProgress: (text) => process.stderr.write(`${text}\n`) }).pipe(
    Effect.timeoutOption(seconds * 1000)
  )
  if (Option.isNone(report)) {
    yield* Console.log(`seed ${seed}: not over within ${seconds} s`)
    return yield* new Violated()
  }
  const took = Math.round(((yield* Clock.currentTimeMillis) - startedAt) / 1000)
  const machine = `${cpus().length} processors, ${Math.round(totalmem() / 2 ** 30)} GiB, ${type()}, Node ${process.version}`
  yield* Console.log(`\n| what | found | allowed | |\n| --- | ---: | ---: | --- |\n${table(report.value)}\n`)
  yield* Console.log(`seed ${seed}, ${took} s, ${machine}`)
  if (report.value.findings.some(isViolated)) return yield* new Violated()
})

NodeRuntime.runMain(program)

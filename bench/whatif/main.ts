/**
 * Replays a recorded trace through the engine in virtual time, as recorded and with other settings, side by side:
 *
 *     npm run whatif -- --trace FILE [--set acme.weight=4] [--set workers=4] [--recording 2] [--json]
 *
 * A tenant has weight, documents, pages, backlog, rate, burst and paused; the engine has workers, documents and backlog.
 */
import { parseArgs } from "node:util"
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Schema } from "effect"
import { measuredOf } from "./Measured.ts"
import { replay } from "./Replay.ts"
import { type Findings, reportJson, reportText } from "./Report.ts"
import { asRecorded, parseSettings } from "./Settings.ts"
import { readTrace } from "./TraceFile.ts"
import { workloadOf } from "./Workload.ts"

class BadUsage extends Schema.TaggedError<BadUsage>()("BadUsage", { detail: Schema.String }) {
  override get message() {
    return this.detail
  }
}

const readArguments = Effect.try({
  try: () =>
    parseArgs({
      options: {
        trace: { type: "string" },
        set: { type: "string", multiple: true, default: [] },
        recording: { type: "string" },
        json: { type: "boolean", default: false }
      }
    }).values,
  catch: (cause) => new BadUsage({ detail: cause instanceof Error ? cause.message : String(cause) })
})

const program = Effect.gen(function* () {
  const { json, recording, set, trace } = yield* readArguments
  if (trace === undefined) return yield* new BadUsage({ detail: "name a trace with --trace FILE" })
  const recordings = yield* readTrace(trace)
  const number = recording === undefined ? recordings.length : Number(recording)
  const chosen = recordings[number - 1]
  if (chosen === undefined) {
    return yield* new BadUsage({ detail: `--recording ${recording}: ${trace} has 1 to ${recordings.length}` })
  }
  const workload = workloadOf(chosen)
  const settings = yield* parseSettings(set, workload)
  const findings: Findings = {
    workload,
    recording: { number, of: recordings.length },
    settings: set,
    measured: measuredOf(chosen, workload),
    asRecorded: yield* replay(workload, asRecorded),
    changed: set.length === 0 ? undefined : yield* replay(workload, settings)
  }
  yield* Console.log(json ? reportJson(findings) : reportText(findings))
})

/** What is wrong, in one line: a stack says nothing about a wrong argument. */
const explain = (error: { readonly message: string }) =>
  Effect.andThen(
    Console.error(error.message),
    Effect.sync(() => {
      process.exitCode = 1
    })
  )

NodeRuntime.runMain(Effect.catch(program, explain))

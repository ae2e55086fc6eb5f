// One run of a command, from its start to the end of everything that it has started.
import { constants } from "node:os"
import { Duration, Effect, Fiber, Stream } from "effect"
import type { PlatformError } from "effect/PlatformError"
import { ChildProcess } from "effect/process"
import type { CommandLimits } from "../../../services/pipelines/settings/CommandStageSettings.ts"
import { StageError } from "../../../services/pipelines/Stage.ts"
import { ending, excerpt, final } from "../matter/Failures.ts"
import type { Directory } from "./Directories.ts"
import { untilFull } from "./DiskUse.ts"
import type { Launch } from "./Launch.ts"

export interface RunOptions {
  readonly launch: Launch
  readonly directory: Directory
  readonly limits: CommandLimits
  readonly input: Uint8Array | undefined
}

export interface Ran {
  /** As a shell has it: 128 and the number of the signal that ended it. */
  readonly code: number
  readonly stdout: Uint8Array
  /** The end of what it wrote to its standard error. */
  readonly stderr: string
}

const keptOfStderr = 4_096

/** How long output is waited for once the command has ended: nothing that could write is left. */
const lastWords = "2 seconds"

const broke = (error: PlatformError) => final(`the command could not be run: ${excerpt(error.message)}`)

const collect = Effect.fnUntraced(function* (output: Stream.Stream<Uint8Array, PlatformError>, most: number) {
  const parts: Array<Uint8Array> = []
  let size = 0
  yield* Stream.runForEach(Stream.mapError(output, broke), (part) => {
    size += part.length
    if (size > most) {
      return Effect.fail(final(`the command wrote more than ${most} bytes to its standard output (limits.output)`))
    }
    parts.push(part)
    return Effect.void
  })
  return new Uint8Array(Buffer.concat(parts))
})

class Tail {
  #text = ""
  readonly #decoder = new TextDecoder()

  add(part: Uint8Array): void {
    this.#text = (this.#text + this.#decoder.decode(part, { stream: true })).slice(-keptOfStderr)
  }

  get text(): string {
    return this.#text
  }
}

const signals: Readonly<Record<string, number>> = constants.signals

/** The process that ends by a signal has no code; its error names the signal. */
const codeOfSignal = (error: PlatformError) => {
  const name = /'(SIG[A-Z0-9]+)'/.exec(String(error.reason.cause ?? error.message))?.[1] ?? ""
  const number = signals[name]
  return number === undefined ? Effect.fail(broke(error)) : Effect.succeed(128 + number)
}

/**
 * Runs it. When this ends in whatever way, the processes of the command have been killed. Fails when it writes more than it may.
 */
export const runCommand = Effect.fnUntraced(function* ({ directory, input, launch, limits }: RunOptions) {
  const { args, cwd, env, file } = launch
  const handle = yield* Effect.mapError(
    ChildProcess.make(file, args, {
      cwd,
      env,
      extendEnv: false,
      stdin: input === undefined ? "ignore" : Stream.make(input),
      killSignal: "SIGKILL",
      forceKillAfter: "500 millis"
    }),
    broke
  )
  const tail = new Tail()
  const hearing = yield* Effect.forkScoped(
    Effect.ignore(Stream.runForEach(handle.stderr, (part) => Effect.sync(() => tail.add(part))))
  )
  const output = yield* Effect.forkScoped(collect(handle.stdout, limits.output))
  const full = Effect.andThen(
    untilFull([directory.work, directory.temporary], limits.disk),
    Effect.fail(final(`the files of the command take more than ${limits.disk} bytes (limits.disk)`))
  )
  const tooMuch = Effect.andThen(Fiber.join(output), Effect.never)
  const code = yield* Effect.raceAllFirst([Effect.catch(handle.exitCode, codeOfSignal), full, tooMuch])
  yield* Effect.ignore(handle.kill({ killSignal: "SIGKILL" }))
  const stdout = yield* Effect.timeoutOrElse(Fiber.join(output), {
    duration: lastWords,
    orElse: () => Effect.fail(final("the command ended, and something that it started holds its output open"))
  })
  yield* Effect.ignore(Effect.timeout(Fiber.join(hearing), lastWords))
  const ran: Ran = { code, stdout, stderr: tail.text }
  return ran
}, Effect.scoped)

const byLimit = new Map<number, (limits: CommandLimits) => StageError>([
  [
    constants.signals.SIGXCPU,
    ({ cpu }) =>
      StageError.of(
        "STAGE_TIMEOUT",
        `the command used more than ${Duration.format(Duration.millis(cpu))} of processor time (limits.cpu)`
      )
  ],
  [
    constants.signals.SIGXFSZ,
    ({ fileSize }) => final(`the command wrote a file of more than ${fileSize} bytes (limits.fileSize)`)
  ]
])

/** Fails unless it ended with one of the codes. */
export const checkCode = ({ code, stderr }: Ran, codes: ReadonlyArray<number>, limits: CommandLimits) => {
  if (codes.includes(code)) return Effect.void
  const limit = byLimit.get(code - 128)
  if (limit !== undefined) return Effect.fail(limit(limits))
  const said = ending(stderr)
  const how = code > 128 ? `was ended by signal ${code - 128}` : `ended with code ${code}`
  return Effect.fail(final(`the command ${how}${said === "" ? "" : `: ${said}`}`))
}

/**
 * Several runners on one machine, each a process of its own: one event loop feeds the page workers of a few processors only. They are a
 * cluster over the same database. All listen at the same port, and the system deals out the connections (SO_REUSEPORT), so no
 * request passes through this process: it starts them, starts them again when they end, and stops them when it is stopped.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { availableParallelism } from "node:os"
import { stderr, stdout } from "node:process"
import { isatty } from "node:tty"
import { Clock, Data, Duration, Effect } from "effect"
import { SecureRandom } from "effect/crypto"
import { makeLines, named } from "./ChildOutput.ts"
import { MachineConfig, planRunners, runnersFor } from "./RunnersPlan.ts"

export class RunnersUnusable extends Data.TaggedError("RunnersUnusable")<{ readonly message: string }> {}

/** The pause before a runner is started again: doubled each time, and short again when it has lived for a minute. */
const shortestPause = 500
const longestPause = 10_000
const longLife = 60_000

type Variables = Readonly<Record<string, string>>

/** The runner ends with the pipe that it has as its input, whatever ends this process. */
const start = (variables: Variables): ChildProcess =>
  spawn(process.execPath, [...process.execArgv, process.argv[1] ?? "", "serve"], {
    // oxlint-disable-next-line node/no-process-env -- the environment of this process is passed on, not read
    env: { ...process.env, ...variables },
    stdio: ["pipe", "pipe", "pipe"],
    // A terminal signals its whole group, but the runners are stopped from here.
    detached: process.platform !== "win32"
  })

const ended = (child: ChildProcess) =>
  Effect.callback<number | undefined>((resume) => {
    const done = () => resume(Effect.succeed(child.exitCode ?? undefined))
    if (child.exitCode !== null || child.signalCode !== null) done()
    else {
      child.once("close", done)
      child.once("error", done)
    }
  })

const passOn = (runner: number, child: ChildProcess, listening: () => void) => {
  for (const [from, to] of [
    [child.stdout, stdout],
    [child.stderr, stderr]
  ] as const) {
    const lines = makeLines((line) => {
      if (line.includes("Sluice listens on")) listening()
      to.write(`${named(runner, line)}\n`)
    })
    from?.setEncoding("utf8").on("data", lines.push).once("end", lines.end)
  }
}

/** Runs the process until it ends; answers with how long it lived. Stops it, and waits, when interrupted. */
const runOnce = Effect.fnUntraced(function* (runner: number, variables: Variables, listening: () => void) {
  const startedAt = yield* Clock.currentTimeMillis
  const code = yield* Effect.acquireUseRelease(
    Effect.sync(() => start(variables)),
    (child) => {
      passOn(runner, child, listening)
      return ended(child)
    },
    (child) =>
      Effect.andThen(
        Effect.sync(() => child.kill("SIGTERM")),
        ended(child)
      )
  )
  return { code, lived: (yield* Clock.currentTimeMillis) - startedAt }
})

const supervise = Effect.fnUntraced(function* (runner: number, variables: Variables) {
  let listened = false
  let pause = shortestPause
  for (;;) {
    const { code, lived } = yield* runOnce(runner, variables, () => {
      listened = true
    })
    // What it lacks is in its log, and it would lack it again.
    if (!listened) return yield* new RunnersUnusable({ message: `runner ${runner} did not start` })
    if (lived > longLife) pause = shortestPause
    yield* Effect.logWarning("a runner ended and is started again").pipe(
      Effect.annotateLogs({ runner, code: code ?? "killed", pause: Duration.format(Duration.millis(pause)) })
    )
    yield* Effect.sleep(pause)
    pause = Math.min(longestPause, 2 * pause)
  }
})

const check = (count: number, httpPort: number) => {
  if (count > 1 && process.platform !== "linux") {
    return Effect.fail(
      new RunnersUnusable({ message: "--runners needs a system on which processes share a port (Linux); start one" })
    )
  }
  return httpPort === 0
    ? Effect.fail(new RunnersUnusable({ message: "--runners needs a port that all share; set PORT" }))
    : Effect.void
}

/** Runs until it is interrupted, or a runner cannot be started. */
export const superviseRunners = Effect.fnUntraced(function* (wanted: number | "auto", more: Variables) {
  const settings = yield* MachineConfig
  const processors = availableParallelism()
  const count = runnersFor(wanted, processors)
  yield* check(count, settings.httpPort)
  const random = yield* SecureRandom.SecureRandom
  const freshToken = Buffer.from(yield* random.randomBytes(32)).toString("hex")
  const plan = planRunners(count, settings, { processors, freshToken, onTerminal: isatty(1) })
  return yield* Effect.forEach(plan, (variables, index) => supervise(index + 1, { ...more, ...variables }), {
    concurrency: "unbounded",
    discard: true
  })
})

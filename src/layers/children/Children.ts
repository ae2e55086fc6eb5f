// Children of one program, started when there is a task for one, and ended when there was none for a while.
import { type Duration, Effect, Pool, Schema } from "effect"
import { Failure } from "../../domain/Failure.ts"
import { WorkerDied } from "../../services/PdfEngine.ts"
import { CurrentProcessorWait, timeoutOfOwnTime } from "../../services/ProcessorWait.ts"
import type { Program } from "../pdf/pool/Launch.ts"
import type { Sandbox } from "../pdf/pool/Sandbox.ts"
import { type Child, type Source, startChild } from "./Child.ts"

export interface ChildrenOptions {
  readonly program: Program
  readonly memoryBytes: number
  readonly sandbox: Effect.Effect<Sandbox>
  /** How many there are at most. */
  readonly most: number
  /** One that had no task for so long is ended. */
  readonly idle: Duration.Input
  /** What one task may take, in milliseconds: without the time in which the child waits for a processor. */
  readonly timeoutMillis: number
  readonly mostAnswerBytes: number
}

/** The task is at fault: another try would give the same. */
export class TaskFailed extends Schema.TaggedError<TaskFailed>()("TaskFailed", { failure: Failure }) {
  override get message() {
    return this.failure.message
  }
}

/** The task took longer than one may. */
export class TaskTimeout extends Schema.TaggedError<TaskTimeout>()("TaskTimeout", {}) {}

export interface Children {
  /**
   * Runs a task in a child of its own for that time. It is run once more if its child dies, unless that died at its memory
   * limit. An interrupted task is stopped with its child.
   */
  readonly run: (task: unknown, source?: Source) => Effect.Effect<unknown, TaskFailed | TaskTimeout | WorkerDied>
}

/** Milliseconds of its own time in which a child has to be ready. */
const startTimeout = 60_000

/** How long an interrupted task may go on, so that its child need not be started again: milliseconds. */
const abortGrace = 300

/** A child that has taken more than this share of its memory is ended after its task. */
const wornShare = 0.75

export const makeChildren = Effect.fnUntraced(function* (options: ChildrenOptions) {
  const { memoryBytes, mostAnswerBytes, program, timeoutMillis } = options

  const start = Effect.gen(function* () {
    const child = yield* startChild({ program, memoryBytes, sandbox: yield* options.sandbox }, mostAnswerBytes)
    yield* child.ready.pipe(
      timeoutOfOwnTime({
        millis: startTimeout,
        waitedMillis: () => child.waitedSinceStart(),
        orElse: () => Effect.fail(new WorkerDied({ memory: false, detail: "it did not become ready in time" }))
      })
    )
    return child
  })
  const pool = yield* Pool.makeWithTTL({ acquire: start, min: 0, max: options.most, timeToLive: options.idle })

  const isUsable = (child: Child) => child.isAlive() && child.rssBytes() < wornShare * memoryBytes

  /** A dead one that was idle is of no use: the next is taken. */
  const take = Effect.gen(function* () {
    const child = yield* Pool.get(pool)
    if (child.isAlive()) return child
    yield* Pool.invalidate(pool, child)
    return yield* Effect.fail("dead" as const)
  })

  const once = Effect.fnUntraced(function* (task: unknown, source: Source | undefined) {
    const child = yield* take
    const wait = yield* CurrentProcessorWait
    wait.millis = child.waitedFromNow()
    return yield* child.run(task, source).pipe(
      Effect.onInterrupt(() => Effect.ignore(Effect.timeout(child.idle, abortGrace))),
      timeoutOfOwnTime({
        millis: timeoutMillis,
        waitedMillis: child.waitedFromNow(),
        orElse: () => Effect.fail(new TaskTimeout())
      }),
      Effect.ensuring(
        Effect.suspend(() => (isUsable(child) && child.isIdle() ? Effect.void : Pool.invalidate(pool, child)))
      )
    )
  }, Effect.scoped)

  const run: Children["run"] = (task, source) =>
    once(task, source).pipe(
      Effect.retry({ while: (error) => error === "dead" }),
      Effect.retry({ times: 1, while: (error) => error instanceof WorkerDied && !error.memory }),
      Effect.flatMap((end) =>
        end._tag === "Done" ? Effect.succeed(end.value) : Effect.fail(new TaskFailed({ failure: end.failure }))
      )
    )
  return { run } satisfies Children
})

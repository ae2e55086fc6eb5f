/**
 * Brings what is in the write-ahead log into the database. That costs two syncs of the disk and copies every page that has
 * changed, so a thread with a connection of its own does it, and this one goes on committing meanwhile.
 *
 * - SQLite syncs the log before it copies from it, and the database before the log may begin anew. Both are done by the
 *   thread's connection; until then every page is in the log, which our flushes have brought to the disk.
 * - The log begins anew with the first commit that finds all of it copied. Under load there may be another commit meanwhile
 *   every time, so from a certain length on the connection's turn is held while the rest is copied: reads and commits wait for
 *   that, and everything else goes on.
 * - A reader in another process, such as a backup in one long transaction, keeps everything newer than its snapshot in the log.
 *   The log then grows until the reader ends, and a warning says so.
 * - A checkpoint that fails is logged and tried again later. Nothing is lost: the log is kept until one succeeds.
 */
import { Data, Effect, Latch, type Semaphore } from "effect"
import { getCompileCacheDir } from "node:module"
import { extname } from "node:path"
import { Worker } from "node:worker_threads"

/** How many pages the log has, and how many of them the database has too. */
export interface Checkpointed {
  readonly pages: number
  readonly copied: number
}

export class CheckpointFailed extends Data.TaggedError("CheckpointFailed")<{ readonly detail: string }> {
  override get message() {
    return `the log could not be brought into the database: ${this.detail}`
  }
}

export interface Checkpoints {
  /** To be called after every flush, with the size of the log's file. */
  readonly flushed: (bytes: number) => void
}

/**
 * A checkpoint is due after so many flushes, or so much growth of the log's file. The file is written over from its beginning,
 * and seldom grows.
 */
const flushesBetween = 64
const growthBetween = 4 * 1024 * 1024

/**
 * From so many pages on (8 MiB) the turn is held for the log to end, and from so many on (64 MiB) a warning says that it does
 * not.
 */
const pagesToEnd = 2_048
const pagesToTell = 16_384

/** Ends with its scope. */
export const make = Effect.fnUntraced(function* (
  checkpoint: Effect.Effect<Checkpointed, CheckpointFailed>,
  turn: Semaphore.Semaphore
) {
  const due = Latch.makeUnsafe(false)
  let flushes = 0
  let bytesAtLast = 0
  let bytesNow = 0

  const run = Effect.gen(function* () {
    // Everything that was there when it began may be copied, and commits may have added more.
    const { pages } = yield* checkpoint
    if (pages < pagesToEnd) return
    const rest = yield* turn.withPermit(checkpoint)
    if (rest.copied < rest.pages && rest.pages >= pagesToTell)
      yield* Effect.logWarning("the database's log grows: another process reads in a long transaction").pipe(
        Effect.annotateLogs({ pages: rest.pages, copied: rest.copied })
      )
  }).pipe(
    Effect.catchTag("CheckpointFailed", (error) => Effect.logError(error.message)),
    // For example, the system gives no thread.
    Effect.catchDefect((defect) => Effect.logError(new CheckpointFailed({ detail: String(defect) }).message))
  )

  yield* due.await.pipe(
    Effect.andThen(
      Effect.sync(() => {
        due.closeUnsafe()
        flushes = 0
        bytesAtLast = bytesNow
      })
    ),
    Effect.andThen(run),
    Effect.forever,
    Effect.forkScoped
  )

  const checkpoints: Checkpoints = {
    flushed: (bytes) => {
      bytesNow = bytes
      if (++flushes >= flushesBetween || bytes >= bytesAtLast + growthBetween) due.openUnsafe()
    }
  }
  return checkpoints
})

const isCheckpointed = (message: unknown): message is Checkpointed =>
  typeof message === "object" && message !== null && "pages" in message && "copied" in message

/** An entry of its own: `.ts` from source, `.js` once built. */
const module = new URL(`./CheckpointThread${extname(new URL(import.meta.url).pathname)}`, import.meta.url)

const tell = (thread: Worker, what: "checkpoint" | "close"): void => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  thread.postMessage(what)
}

/**
 * Makes one checkpoint in the thread, which starts with the first call, and anew after it died. It ends with the scope, after
 * the checkpoint under way; so its connection is closed before the one that was opened before it.
 */
export const inThread = Effect.fnUntraced(function* (filename: string) {
  let thread: Worker | undefined
  /** Of the last request: there is one at a time. */
  let answer: (answered: Effect.Effect<Checkpointed, CheckpointFailed>) => void = () => {}
  const fail = (detail: string) => answer(Effect.fail(new CheckpointFailed({ detail })))

  const start = () => {
    // A thread does not find Node's compiled code unless it is given the folder; it needs nothing else of the environment.
    const compiled = getCompileCacheDir()
    const started = new Worker(module, {
      workerData: { filename },
      env: compiled === undefined ? {} : { NODE_COMPILE_CACHE: compiled },
      resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2, codeRangeSizeMb: 4 }
    })
    const ended = (detail: string) => {
      if (thread !== started) return
      thread = undefined
      fail(detail)
    }
    started.on("message", (message: unknown) =>
      isCheckpointed(message) ? answer(Effect.succeed(message)) : fail(String(message))
    )
    started.on("error", (error) => ended(String(error))).on("exit", () => ended("the thread has ended"))
    started.unref()
    return started
  }

  yield* Effect.addFinalizer(() =>
    Effect.callback<void>((resume) => {
      if (thread === undefined) return resume(Effect.void)
      thread.on("exit", () => resume(Effect.void)).ref()
      tell(thread, "close")
    })
  )
  return Effect.callback<Checkpointed, CheckpointFailed>((resume) => {
    answer = resume
    tell((thread ??= start()), "checkpoint")
  })
})

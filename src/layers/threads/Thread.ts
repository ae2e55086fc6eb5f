/**
 * A worker thread that answers calls, one after the other in their order. A call that is interrupted before its turn is never sent. It starts with the first call, and anew after it died: the calls under way
 * fail then, and whatever the thread held is gone. It ends with its scope, after what it is doing.
 */
import { Data, Effect } from "effect"
import { getCompileCacheDir } from "node:module"
import { extname } from "node:path"
import { Worker } from "node:worker_threads"

export class ThreadFailed extends Data.TaggedError("ThreadFailed")<{ readonly detail: string }> {
  override get message() {
    return this.detail
  }
}

export interface ThreadOptions {
  /** The module of the thread: beside `url`, in the same form, `.ts` from source and `.js` once built. */
  readonly url: string
  readonly name: string
  readonly workerData: unknown
  readonly heapMegabytes: number
}

export interface Thread {
  readonly call: (body: unknown) => Effect.Effect<unknown, ThreadFailed>
  /** Calls that have no answer yet. */
  readonly pending: () => number
}

const isAnswer = (
  message: unknown
): message is { readonly id: number; readonly error?: string; readonly body?: unknown } =>
  typeof message === "object" && message !== null && "id" in message && typeof message.id === "number"

const tell = (thread: Worker, message: unknown): void => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  thread.postMessage(message)
}

export const makeThread = Effect.fnUntraced(function* ({ heapMegabytes, name, url, workerData }: ThreadOptions) {
  const module = new URL(`./${name}${extname(new URL(url).pathname)}`, url)
  /** By number, in their order: the first one is with the thread. */
  const answers = new Map<number, (answer: Effect.Effect<unknown, ThreadFailed>) => void>()
  const bodies = new Map<number, unknown>()
  let sent = 0
  let thread: Worker | undefined
  let lastId = 0

  const sendNext = (to: Worker): void => {
    if (sent !== 0) return
    const [next] = bodies
    if (next === undefined) return void to.unref()
    const [id, body] = next
    bodies.delete(id)
    sent = id
    to.ref()
    tell(to, { id, body })
  }

  const start = (): Worker => {
    // A thread does not find Node's compiled code unless it is given the folder; it needs nothing else of the environment.
    const compiled = getCompileCacheDir()
    const started = new Worker(module, {
      workerData,
      env: compiled === undefined ? {} : { NODE_COMPILE_CACHE: compiled },
      resourceLimits: { maxOldGenerationSizeMb: heapMegabytes, maxYoungGenerationSizeMb: 16 }
    })
    const ended = (detail: string) => {
      if (thread !== started) return
      thread = undefined
      sent = 0
      bodies.clear()
      const failed = [...answers.values()]
      answers.clear()
      for (const answer of failed) answer(Effect.fail(new ThreadFailed({ detail })))
    }
    started.on("message", (message: unknown) => {
      if (!isAnswer(message)) return
      const answer = answers.get(message.id)
      answers.delete(message.id)
      sent = 0
      sendNext(started)
      answer?.(
        message.error === undefined
          ? Effect.succeed(message.body)
          : Effect.fail(new ThreadFailed({ detail: message.error }))
      )
    })
    started.on("error", (error) => ended(String(error))).on("exit", () => ended("the thread has ended"))
    return started
  }

  yield* Effect.addFinalizer(() =>
    Effect.callback<void>((resume) => {
      if (thread === undefined) return resume(Effect.void)
      thread.on("exit", () => resume(Effect.void)).ref()
      tell(thread, "close")
    })
  )
  const made: Thread = {
    call: (body) =>
      Effect.callback((resume) => {
        const id = ++lastId
        const running = (thread ??= start())
        answers.set(id, resume)
        bodies.set(id, body)
        sendNext(running)
        return Effect.sync(() => {
          // If it is with the thread, its answer comes, and is for nobody.
          if (bodies.delete(id)) answers.delete(id)
          else if (answers.has(id)) answers.set(id, () => {})
        })
      }),
    pending: () => answers.size
  }
  return made
})

// What every child of the engine does beside its own work: it takes tasks from the channel, one at a time, and ends with the
// engine. It holds no truth, and may be killed at any moment.
import { Effect } from "effect"
import { createHash } from "node:crypto"
import { Socket } from "node:net"
import { failure, type Failure } from "../../domain/Failure.ts"
import { PdfUnreadable } from "../../services/PdfEngine.ts"
import { channelDescriptor, frame, FrameReader } from "../pdf/pool/Channel.ts"
import { endAtOnce, giveUpPermissions, watchEngine } from "../pdf/worker/ChildProcess.ts"
import { awaitPortions, type Portions } from "../pdf/worker/Portions.ts"
import { type Answer, isMessage, type Task } from "./Messages.ts"

/** The bytes of the task, read once they are asked for; an effect that fails when they cannot be had. */
export type Bytes = Effect.Effect<Uint8Array, PdfUnreadable>

/** The work of a child. Its failures are those of the task; a defect ends the child. */
export interface Work {
  readonly run: (task: unknown, bytes: Bytes, key: string | undefined) => Effect.Effect<unknown, Failure>
  /** Keys of the bytes that it has kept: they need not be sent again. */
  readonly held: () => ReadonlyArray<string>
}

const refuseDamaged = (bytes: Uint8Array, hash: string | undefined): Effect.Effect<void, PdfUnreadable> =>
  hash === undefined || createHash("sha256").update(bytes).digest("hex") === hash
    ? Effect.void
    : Effect.fail(new PdfUnreadable({ failure: failure("BLOB_LOST", "The stored bytes no longer match their hash.") }))

const noBytes: Bytes = Effect.die(new Error("there are no bytes"))

/** What the program was told, after the id of the engine's process and the memory limit. */
export const given: ReadonlyArray<string> = process.argv.slice(4)

/** Starts to work, and takes tasks once that is done. */
export const serve = (start: Effect.Effect<Work>): void => {
  const [parentPid = 0, memoryBytes = 0] = process.argv.slice(2).map(Number)
  watchEngine(parentPid, memoryBytes)
  const channel = new Socket({ fd: channelDescriptor, readable: true, writable: true })
  channel.on("error", endAtOnce)
  channel.on("close", endAtOnce)
  // A signal to the whole process group is for the engine to answer.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {})
  const send = (answer: Answer): void => {
    channel.write(frame(answer))
  }
  let coming: { readonly call: number; readonly portions: Portions } | undefined

  const bytesOf = ({ call, hash, size }: Task): Bytes => {
    if (size === undefined) return noBytes
    const portions = awaitPortions(size)
    coming = { call, portions }
    return Effect.tap(portions.bytes, (bytes) => refuseDamaged(bytes, hash))
  }

  const perform = ({ run, held }: Work, task: Task) =>
    run(task.task, bytesOf(task), task.key).pipe(
      Effect.match({
        onSuccess: (value) => ({ _tag: "Done" as const, value }),
        onFailure: (failure) => ({ _tag: "Failed" as const, failure })
      }),
      Effect.map((outcome) => send({ ...outcome, call: task.call, rssBytes: process.memoryUsage.rss(), held: held() }))
    )

  const listen = (work: Work): void => {
    const messages = new FrameReader(
      Number.POSITIVE_INFINITY,
      (message) => {
        if (!isMessage(message)) return
        if (message._tag === "Task")
          Effect.runFork(Effect.onError(perform(work, message), () => Effect.sync(endAtOnce)))
        else if (coming?.call === message.call) coming.portions.cutOff(message.failure)
      },
      (bytes) => coming?.portions.add(bytes)
    )
    channel.on("data", (chunk: Buffer) => messages.push(chunk))
  }

  Effect.runFork(
    start.pipe(
      Effect.map((work) => {
        listen(work)
        giveUpPermissions()
        send({ _tag: "Ready", rssBytes: process.memoryUsage.rss() })
      }),
      Effect.onError((cause) =>
        Effect.sync(() => {
          process.stderr.write(`Error: ${String(cause)}\n`)
          endAtOnce()
        })
      )
    )
  )
}

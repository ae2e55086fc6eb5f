// The entry of a page worker's process. It does one call at a time and holds no truth: it may be killed at any moment.
import { Cause, Effect, Exit, Fiber } from "effect"
import { Socket } from "node:net"
import { setPriority } from "node:os"
import type { PageResult } from "../../../domain/document/Page.ts"
import type { HeadRequest } from "../../../services/PdfEngine.ts"
import { channelDescriptor, frame, FrameReader } from "../pool/Channel.ts"
import { endAtOnce, giveUpPermissions, watchEngine } from "./ChildProcess.ts"
import { type Given, makeDocumentCache } from "./DocumentCache.ts"
import { isMemoryError } from "../pdfjs/MemoryError.ts"
import { describeError } from "../pdfjs/PdfJs.ts"
import { awaitPortions, type Portions } from "./Portions.ts"
import type { Outcome, Report, Source, Timing, Work } from "../pool/Protocol.ts"
import { isCommand } from "../pool/Protocol.ts"
import type { PdfReader } from "./Reader.ts"
import { makeResultBatches } from "./ResultBatches.ts"
import { warmUp } from "./WarmUp.ts"

/** A third of the weight of other processes: the engine's goes first, and a worker does not starve on a busy machine. */
const niceness = 5

// The engine's process, which accepts and answers, goes first where both want a processor.
try {
  setPriority(niceness)
} catch {
  // A system that does not allow it reads as well.
}

const [watchedParent = 0, memoryBytes = 0, maxHeldDocuments = 0, maxHeldBytes = 0, withLayout = 0] = process.argv
  .slice(2)
  .map(Number)

watchEngine(watchedParent, memoryBytes)

const channel = new Socket({ fd: channelDescriptor, readable: true, writable: true })
channel.on("error", endAtOnce)
channel.on("close", endAtOnce)
// A signal to the whole process group is for the engine to answer; until it has drained it needs its workers.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {})
// pdf.js leaves rejected promises behind when a document is closed under it. They concern no page; only a failed allocation
// ends the worker, since a call that waits for it may wait for ever.
process.on("unhandledRejection", (cause) => {
  if (isMemoryError(cause)) throw cause
})

const send = (report: Report): void => {
  channel.write(frame(report))
}

const documents = makeDocumentCache(maxHeldDocuments, maxHeldBytes, { layout: withLayout === 1 })

/**
 * How long the head may be read in the same call as the opening, so that the answer is not delayed: milliseconds of own time.
 */
const mostHeadMillis = 24

/** A page that takes so long is reported as slow. */
const slowMillis = 1_000

const now = () => performance.timeOrigin + performance.now()

/** The processor time of this thread, in milliseconds: its wait for a processor on a busy machine is no reason to stop. */
const ownMillis = (): number => {
  // Node 22 counts it for the process only, with what V8 compiles beside this thread.
  const { system, user } = typeof process.threadCpuUsage === "function" ? process.threadCpuUsage() : process.cpuUsage()
  return (user + system) / 1_000
}

/** The times of a call that is `timed`. */
const makeTimes = () => {
  const from = now()
  const slow: Array<Timing["slow"][number]> = []
  return {
    page: ({ elapsedMillis, number }: PageResult): void => {
      if (elapsedMillis >= slowMillis) slow.push({ page: number, at: now(), elapsedMillis })
    },
    taken: (): Timing => ({ from, to: now(), slow })
  }
}
type Times = ReturnType<typeof makeTimes> | undefined

/**
 * Reads the first page alone, and the others only if that was quick. They are begun in order, so the missing ones show which
 * took long. Answers with the number of pages that did not fail.
 */
const readHead = Effect.fnUntraced(function* (
  reader: PdfReader,
  { concurrency, pages }: HeadRequest,
  done: (result: PageResult) => void
) {
  const until = ownMillis() + mostHeadMillis
  let well = 0
  const readInTime = (number: number) =>
    Effect.suspend(() =>
      ownMillis() < until
        ? Effect.map(reader.readPage(number), (result) => {
            if (result.status !== "failed") well++
            done(result)
          })
        : Effect.void
    )
  const [first, ...others] = Array.from({ length: Math.min(pages, reader.pageCount) }, (_, index) => index + 1)
  if (first !== undefined) yield* readInTime(first)
  yield* Effect.forEach(others, readInTime, { concurrency, discard: true })
  return well
})

const perform = Effect.fnUntraced(function* (call: number, work: Work, source: Given, times: Times) {
  const reader = yield* documents.get(work, source)
  // If a page that spins cuts off the head, its first page at least was sent.
  const batches = makeResultBatches((results) => send({ _tag: "Pages", call, results }), work._tag === "Open")
  const done = (result: PageResult) => {
    times?.page(result)
    batches.add(result)
  }
  const flush = () => Effect.sync(batches.flush)
  if (work._tag === "Open") {
    send({ _tag: "Opened", call, opened: yield* reader.describe })
    const start = performance.now()
    const well = yield* readHead(reader, work.head, done).pipe(Effect.onError(flush))
    const outcome: Outcome = { _tag: "Done", results: batches.take(), headMillis: performance.now() - start }
    // If no page failed, the document is not asked for again: its head is all of it, and no page needs another try.
    return { outcome, isThrough: well === reader.pageCount }
  }
  yield* Effect.forEach(work.pages, (page) => Effect.map(reader.readPage(page), done), {
    concurrency: work.concurrency,
    discard: true
  }).pipe(Effect.onError(flush))
  const outcome: Outcome = { _tag: "Done", results: batches.take() }
  return { outcome, isThrough: false }
})

type Performed = Effect.Success<ReturnType<typeof perform>>

const outcomeOf = (exit: Exit.Exit<Performed, Effect.Error<ReturnType<typeof perform>>>): Outcome => {
  if (Exit.isSuccess(exit)) return exit.value.outcome
  if (Cause.hasInterrupts(exit.cause)) return { _tag: "Aborted" }
  const error = Cause.squash(exit.cause)
  if (error === "NotHeld") return { _tag: "NotHeld" }
  const unreadable = Cause.findErrorOption(exit.cause)
  return unreadable._tag === "Some" && unreadable.value !== "NotHeld"
    ? { _tag: "Unreadable", failure: unreadable.value.failure }
    : { _tag: "Defect", detail: describeError(error) }
}

interface Running {
  readonly call: number
  readonly key: string
  readonly abort: Effect.Effect<void>
  forgetAfterwards: boolean
}

let running: Running | undefined

/** The bytes that are on their way. */
let coming: { readonly call: number; readonly portions: Portions } | undefined

const givenBy = (call: number, source: Source): Given => {
  switch (source._tag) {
    case "Held":
      return source
    case "Bytes":
      // What arrived shares its memory with the rest of its message, and pdf.js takes the memory of what it is given.
      return { _tag: "Given", bytes: Effect.sync(() => new Uint8Array(source.bytes)), hash: source.hash }
    case "Portions": {
      const portions = awaitPortions(source.size)
      coming = { call, portions }
      return { _tag: "Given", bytes: portions.bytes, hash: source.hash }
    }
  }
}

const run = Effect.fnUntraced(function* (call: number, work: Work, source: Given, timed: boolean) {
  const times = timed ? makeTimes() : undefined
  const fiber = yield* Effect.forkChild(perform(call, work, source, times))
  const mine: Running = { call, key: work.key, abort: Fiber.interrupt(fiber), forgetAfterwards: false }
  running = mine
  const exit = yield* Fiber.await(fiber)
  const outcome = outcomeOf(exit)
  const timing = times?.taken()
  // pdf.js goes on with an abandoned page in the background; closing its document ends that too.
  if (outcome._tag === "Aborted" || mine.forgetAfterwards) yield* documents.forget(work.key)
  // From now on it is not held; the answer does not wait until it is closed.
  else if (Exit.isSuccess(exit) && exit.value.isThrough) Effect.runFork(documents.forget(work.key))
  running = undefined
  coming = undefined
  send({ _tag: "Ended", call, outcome, timing, rssBytes: process.memoryUsage.rss(), held: documents.keys() })
})

const obey = (message: unknown): void => {
  if (!isCommand(message)) return
  switch (message._tag) {
    case "Start":
      Effect.runFork(run(message.call, message.work, givenBy(message.call, message.source), message.timed))
      break
    case "CutOff":
      if (coming?.call === message.call) coming.portions.cutOff(message.failure)
      break
    case "Abort":
      if (running?.call === message.call) Effect.runFork(running.abort)
      break
    case "Close":
      if (running?.key === message.key) running.forgetAfterwards = true
      else Effect.runFork(documents.forget(message.key))
  }
}

// Bytes of a call that has ended may still come, but none after the next call has begun.
const commands = new FrameReader(Number.POSITIVE_INFINITY, obey, (bytes) => coming?.portions.add(bytes))
channel.on("data", (chunk: Buffer) => commands.push(chunk))

Effect.runFork(
  Effect.map(warmUp, () => {
    giveUpPermissions()
    send({ _tag: "Ready", rssBytes: process.memoryUsage.rss() })
  })
)

// One page worker as the engine sees it: a child process under a memory limit of the operating system, which counts what
// V8 keeps outside its heap as well. A worker thread would have neither that limit nor a death of its own.
import { Deferred, Effect, type Scope } from "effect"
import type { BlobLocation } from "../../../services/BlobStore.ts"
import { WorkerDied } from "../../../services/PdfEngine.ts"
import { CallSender } from "./CallSender.ts"
import { FrameReader } from "./Channel.ts"
import { hearLastWords, type LastWords } from "./LastWords.ts"
import { launch, type Launched, type LaunchOptions } from "./Launch.ts"
import { makeProcessorWaits, type ProcessorWaits } from "./ProcessorTime.ts"
import type { Report, Work } from "./Protocol.ts"
import { isReport, mostReportBytes } from "./Reports.ts"
import { type CallListener, WorkerCall } from "./WorkerCall.ts"

const lastWordsMillis = 1_000

/**
 * A worker is starting, then ready, then dead. It has one call at a time, or none. One whose reports cannot be true is
 * distrusted: it is killed, and what it still sends is ignored.
 */
export class WorkerProcess {
  readonly #launched: Launched
  readonly #memoryBytes: number
  readonly #waits: ProcessorWaits
  readonly #sender: CallSender
  readonly #lastWords: LastWords
  readonly #ready = Deferred.makeUnsafe<void, WorkerDied>()
  readonly #ended = Deferred.makeUnsafe<WorkerDied>()
  #held: ReadonlySet<string> = new Set()
  #death: WorkerDied | undefined
  /** Why its reports are not trusted any more. */
  #distrust: string | undefined
  #isReady = false
  #rssBytes = 0
  #rssBytesWhenReady = 0
  #pagesRead = 0
  #calls = 0
  #call: WorkerCall | undefined

  constructor(launched: Launched, memoryBytes: number) {
    this.#launched = launched
    this.#memoryBytes = memoryBytes
    this.#waits = makeProcessorWaits(launched.onPid)
    this.#sender = new CallSender(launched.channel)
    this.#lastWords = hearLastWords(launched.stderr, () => this.#distrusted("it wrote too much to its standard error"))
    this.#listenToReports()
    this.#listenToEnd()
  }

  /** The process id of the worker outside its namespace; 0 until that is known. */
  pid(): number {
    return this.#waits.pid()
  }

  /** Succeeds once the worker can take calls; fails when it dies before that. */
  get ready(): Effect.Effect<void, WorkerDied> {
    return Deferred.await(this.#ready)
  }

  /** Why it ended, once nothing of it is left. */
  get ended(): Effect.Effect<WorkerDied> {
    return Deferred.await(this.#ended)
  }

  /**
   * Measures from now on how long the worker was ready to run and waited for a processor: milliseconds, 0 where it is not
   * known.
   */
  waitedFromNow(): () => number {
    return this.#waits.fromNow()
  }

  /** The same since its process was started. */
  waitedSinceStart(): number {
    return this.#waits.sinceStart()
  }

  rssBytes(): number {
    return this.#rssBytes
  }

  /** The memory it has taken since it became ready, as a share of what was left then up to its limit: 0 to about 1. */
  memoryUsed(): number {
    const before = this.#rssBytesWhenReady
    return (this.#rssBytes - before) / Math.max(1, this.#memoryBytes - before)
  }

  pagesRead(): number {
    return this.#pagesRead
  }

  isIdle(): boolean {
    return this.#call === undefined
  }

  isAlive(): boolean {
    return this.#death === undefined && this.#distrust === undefined
  }

  holds(key: string): boolean {
    return this.#held.has(key)
  }

  heldCount(): number {
    return this.#held.size
  }

  /** Only on an idle worker. */
  start(work: Work, location: BlobLocation, listener: CallListener): void {
    const call = new WorkerCall(++this.#calls, work, location, listener, () => {
      this.#call = undefined
    })
    this.#call = call
    // It may have died since it was lent.
    if (this.#death === undefined) this.#sender.call(call, this.holds(work.key))
    else call.end(this.#death)
  }

  /** Asks it to drop its call, whose listener is called no more. */
  abort(): void {
    const call = this.#call
    if (call === undefined) return
    call.drop()
    if (call.isSent) this.#sender.command({ _tag: "Abort", call: call.id })
    else call.end(undefined)
  }

  /** Succeeds when it has no call any more, because that ended or because it died. */
  get idle(): Effect.Effect<void> {
    return Effect.suspend(() => this.#call?.untilOver ?? Effect.void)
  }

  /** Asks it to close the document if it holds it. */
  close(key: string): void {
    if (this.holds(key)) this.#sender.command({ _tag: "Close", key })
  }

  kill(): void {
    this.#launched.child.kill("SIGKILL")
  }

  #listenToReports(): void {
    const reader = new FrameReader(mostReportBytes, (message) => {
      if (this.#distrust !== undefined) return
      if (isReport(message)) this.#reported(message)
      else this.#distrusted("it sent what is no report")
    })
    this.#launched.channel.on("data", (chunk: Buffer) => {
      try {
        reader.push(chunk)
      } catch (cause) {
        this.#distrusted(`it sent ${cause instanceof Error ? cause.message : "garbage"}`)
      }
    })
  }

  #listenToEnd(): void {
    const { child, release } = this.#launched
    child.on("error", (error) => {
      if (child.pid === undefined) this.#died(`it could not be started (${error.message})`)
    })
    const how = (code: number | null, signal: string | null) =>
      signal === null ? `exit code ${code}` : `signal ${signal}`
    // Not at once at `exit`: the last words may still be on their way. But `close` waits for pipes, and this wait has to end.
    child.on("close", (code, signal) => this.#died(how(code, signal)))
    child.on("exit", (code, signal) => {
      release()
      setTimeout(() => this.#died(how(code, signal)), lastWordsMillis).unref()
    })
  }

  #distrusted(why: string): void {
    this.#distrust ??= why
    this.#launched.channel.destroy()
    this.kill()
  }

  #reported(report: Report): void {
    if (report._tag === "Ready") return this.#becameReady(report.rssBytes)
    const call = this.#call
    if (call === undefined || call.id !== report.call) {
      return this.#distrusted("it reported of another call")
    }
    const objection = call.objection(report)
    if (objection !== undefined) return this.#distrusted(objection)
    switch (report._tag) {
      case "Opened":
        return call.opened(report.opened)
      case "Pages":
        this.#pagesRead += report.results.length
        return call.pages(report.results)
      case "Ended":
        return this.#callEnded(call, report)
    }
  }

  #becameReady(rssBytes: number): void {
    if (this.#isReady) return this.#distrusted("it was ready twice")
    this.#isReady = true
    this.#rssBytes = rssBytes
    this.#rssBytesWhenReady = rssBytes
    Deferred.doneUnsafe(this.#ready, Effect.void)
  }

  #callEnded(call: WorkerCall, report: Extract<Report, { readonly _tag: "Ended" }>): void {
    const { held, outcome, rssBytes, timing } = report
    this.#rssBytes = rssBytes
    this.#held = new Set(held)
    if (outcome._tag !== "NotHeld") {
      if (outcome._tag === "Done") this.#pagesRead += outcome.results.length
      return call.ended(outcome, timing)
    }
    if (!call.notHeld()) return this.#distrusted("it has lost what it was given")
    if (call.isUnderWay) this.#sender.call(call, false)
    else call.end(undefined)
  }

  #died(how: string): void {
    if (this.#death !== undefined) return
    const reason =
      this.#distrust === undefined
        ? this.#lastWords.reason(how)
        : new WorkerDied({ memory: false, detail: `it was ended because ${this.#distrust}` })
    this.#death = reason
    this.#waits.close()
    Deferred.doneUnsafe(this.#ready, Effect.fail(reason))
    this.#call?.end(reason)
    Deferred.doneUnsafe(this.#ended, Effect.succeed(reason))
  }
}

/** Starts a worker. When the scope ends it is killed, and nothing of it is left afterwards. */
export const startWorker = (options: LaunchOptions): Effect.Effect<WorkerProcess, WorkerDied, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.try({
      try: () => new WorkerProcess(launch(options), options.memoryBytes),
      catch: (cause) => new WorkerDied({ memory: false, detail: `it could not be started (${String(cause)})` })
    }),
    (worker) =>
      Effect.andThen(
        Effect.sync(() => worker.kill()),
        worker.ended
      )
  )

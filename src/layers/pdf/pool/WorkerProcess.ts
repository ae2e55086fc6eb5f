// One page worker as the engine sees it: a child process under a memory limit of the operating system, which counts what
// V8 keeps outside its heap as well. A worker thread would have neither that limit nor a death of its own.
import { Deferred, Effect } from "effect"
import type { Scope } from "effect"
import type { PageResult } from "../../../domain/document/Page.ts"
import type { BlobLocation } from "../../../services/BlobStore.ts"
import type { OpenedPdf } from "../../../services/PdfEngine.ts"
import { PdfUnreadable, WorkerDied } from "../../../services/PdfEngine.ts"
import { type BlobBytes, openBlob, portionBytes, unreadableBlob } from "./BlobBytes.ts"
import { bytesHeader, frame, FrameReader } from "./Channel.ts"
import { hearLastWords } from "./LastWords.ts"
import { launch, type Launched, type LaunchOptions } from "./Launch.ts"
import { makeProcessorWaits } from "./ProcessorTime.ts"
import type { Command, Outcome, Report, Source, Timing, Work } from "./Protocol.ts"
import { CallChecker, isReport, mostReportBytes } from "./Reports.ts"

/** Receives the events of one call. `end` comes once and last. */
export interface CallListener {
  readonly opened?: (opened: OpenedPdf) => void
  readonly pages: (results: ReadonlyArray<PageResult>) => void
  /** What reading the head took; called before the end. */
  readonly headMillis?: (millis: number) => void
  readonly end: (reason: PdfUnreadable | WorkerDied | undefined) => void
  /** Called before the end; without this listener nothing is measured. A call that ended with its worker has no times. */
  readonly timing?: ((timing: Timing) => void) | undefined
}

export interface WorkerProcess {
  /** The process id of the worker outside its namespace; 0 until that is known. */
  readonly pid: () => number
  /** Succeeds once the worker can take calls; fails when it dies before that. */
  readonly ready: Effect.Effect<void, WorkerDied>
  /** Why it ended, once nothing of it is left. */
  readonly ended: Effect.Effect<WorkerDied>
  /**
   * Measures from now on how long the worker was ready to run and waited for a processor: milliseconds, 0 where it is not
   * known.
   */
  readonly waitedFromNow: () => () => number
  /** The same since its process was started. */
  readonly waitedSinceStart: () => number
  readonly rssBytes: () => number
  /** The memory it has taken since it became ready, as a share of what was left then up to its limit: 0 to about 1. */
  readonly memoryUsed: () => number
  readonly pagesRead: () => number
  readonly isIdle: () => boolean
  readonly isAlive: () => boolean
  readonly holds: (key: string) => boolean
  readonly heldCount: () => number
  /** Only on an idle worker. */
  readonly start: (work: Work, location: BlobLocation, listener: CallListener) => void
  /** Asks it to drop its call, whose listener is called no more. */
  readonly abort: () => void
  /** Succeeds when it has no call any more, because that ended or because it died. */
  readonly idle: Effect.Effect<void>
  readonly close: (key: string) => void
  readonly kill: () => void
}

const lastWordsMillis = 1_000

interface Call {
  readonly id: number
  readonly work: Work
  readonly location: BlobLocation
  readonly checker: CallChecker
  readonly settled: Deferred.Deferred<void>
  listener: CallListener | undefined
  /** How the worker got the document, if it did: it was held already, or its bytes were sent. */
  sent: "held" | "bytes" | undefined
}

const reasonOf = (outcome: Exclude<Outcome, { readonly _tag: "NotHeld" }>): PdfUnreadable | WorkerDied | undefined => {
  switch (outcome._tag) {
    case "Unreadable":
      return new PdfUnreadable({ failure: outcome.failure })
    case "Defect":
      return new WorkerDied({ memory: false, detail: outcome.detail })
    case "Aborted":
    case "Done":
      return undefined
  }
}

const supervise = ({ channel, child, onPid, release, stderr }: Launched, memoryBytes: number): WorkerProcess => {
  const ready = Deferred.makeUnsafe<void, WorkerDied>()
  const ended = Deferred.makeUnsafe<WorkerDied>()
  const waits = makeProcessorWaits(onPid)
  let held: ReadonlySet<string> = new Set()
  let died: WorkerDied | undefined
  /** Why its messages are not trusted any more. It is being killed. */
  let disbelief: string | undefined
  let isReady = false
  let rssBytes = 0
  let rssBytesWhenReady = 0
  let pagesRead = 0
  let calls = 0
  let call: Call | undefined

  // A write to a process that has just died fails. Its end is reported by its exit, so the failure says nothing new.
  const send = (command: Command): void => {
    if (channel.writable) channel.write(frame(command))
  }

  const sendStart = (started: Call, source: Source): void => {
    started.sent = source._tag === "Held" ? "held" : "bytes"
    send({ _tag: "Start", call: started.id, work: started.work, source, timed: started.listener?.timing !== undefined })
  }

  const settle = (reason: PdfUnreadable | WorkerDied | undefined): void => {
    const settled = call
    call = undefined
    if (settled === undefined) return
    settled.listener?.end(reason)
    Deferred.doneUnsafe(settled.settled, Effect.void)
  }

  /** The bytes of a call are not needed any more once it is interrupted, or its worker is gone. */
  const isUnderWay = (sent: Call): boolean => call === sent && sent.listener !== undefined

  const sendPortions = async (sent: Call, blob: BlobBytes): Promise<void> => {
    try {
      if (!isUnderWay(sent)) return
      sendStart(sent, { _tag: "Portions", size: blob.size, hash: sent.location.hash })
      for await (const bytes of blob.portions) {
        if (!isUnderWay(sent) || !channel.writable) return
        channel.write(bytesHeader(bytes.length))
        // So that no more than one portion is in memory.
        await new Promise((resume) => channel.write(bytes, resume))
      }
    } finally {
      await blob.close()
    }
  }

  const sendBytes = async (sent: Call): Promise<void> => {
    try {
      await sendPortions(sent, await openBlob(sent.location))
    } catch (cause) {
      if (!isUnderWay(sent)) return
      const failure = unreadableBlob(cause)
      if (sent.sent !== undefined) send({ _tag: "CutOff", call: sent.id, failure })
      else settle(new PdfUnreadable({ failure }))
    }
  }

  const sendWork = (sent: Call, mayBeHeld: boolean): void => {
    const { location, work } = sent
    if (mayBeHeld && held.has(work.key)) sendStart(sent, { _tag: "Held" })
    else if (location._tag === "Bytes" && location.bytes.length <= portionBytes) sendStart(sent, location)
    else void sendBytes(sent)
  }

  const disbelieve = (detail: string): void => {
    disbelief ??= detail
    channel.destroy()
    child.kill("SIGKILL")
  }

  const lastWords = hearLastWords(stderr, () => disbelieve("it wrote too much to its standard error"))

  const tellPages = ({ listener }: Call, results: ReadonlyArray<PageResult>): void => {
    pagesRead += results.length
    listener?.pages(results)
  }

  const onReady = (bytes: number): void => {
    if (isReady) return disbelieve("it was ready twice")
    isReady = true
    rssBytes = bytes
    rssBytesWhenReady = bytes
    Deferred.doneUnsafe(ready, Effect.void)
  }

  const onReport = (report: Report): void => {
    if (report._tag === "Ready") return onReady(report.rssBytes)
    if (call === undefined || call.id !== report.call || call.sent === undefined)
      return disbelieve("it reported of another call")
    const objection = call.checker.objection(report)
    if (objection !== undefined) return disbelieve(objection)
    switch (report._tag) {
      case "Opened":
        call.listener?.opened?.(report.opened)
        return
      case "Pages":
        tellPages(call, report.results)
        return
      case "Ended":
        rssBytes = report.rssBytes
        held = new Set(report.held)
        if (report.outcome._tag === "NotHeld") {
          if (call.sent !== "held") return disbelieve("it has lost what it was given")
          call.sent = undefined
          if (call.listener === undefined) settle(undefined)
          else sendWork(call, false)
          return
        }
        if (report.timing !== undefined) call.listener?.timing?.(report.timing)
        if (report.outcome._tag === "Done") {
          tellPages(call, report.outcome.results)
          if (report.outcome.headMillis !== undefined) call.listener?.headMillis?.(report.outcome.headMillis)
        }
        settle(reasonOf(report.outcome))
    }
  }

  const reader = new FrameReader(mostReportBytes, (message) => {
    if (disbelief !== undefined) return
    if (isReport(message)) onReport(message)
    else disbelieve("it sent what is no report")
  })

  const onEnd = (how: string): void => {
    if (died !== undefined) return
    died =
      disbelief === undefined
        ? lastWords.reason(how)
        : new WorkerDied({ memory: false, detail: `it was ended because ${disbelief}` })
    waits.close()
    Deferred.doneUnsafe(ready, Effect.fail(died))
    settle(died)
    Deferred.doneUnsafe(ended, Effect.succeed(died))
  }

  channel.on("data", (chunk: Buffer) => {
    try {
      reader.push(chunk)
    } catch (cause) {
      disbelieve(`it sent ${cause instanceof Error ? cause.message : "garbage"}`)
    }
  })
  child.on("error", (error) => {
    if (child.pid === undefined) onEnd(`it could not be started (${error.message})`)
  })
  const how = (code: number | null, signal: string | null) =>
    signal === null ? `exit code ${code}` : `signal ${signal}`
  // Not at once at `exit`: the last words may still be on their way. But `close` waits for pipes, and this wait has to end.
  child.on("close", (code, signal) => onEnd(how(code, signal)))
  child.on("exit", (code, signal) => {
    release()
    setTimeout(() => onEnd(how(code, signal)), lastWordsMillis).unref()
  })

  return {
    pid: waits.pid,
    ready: Deferred.await(ready),
    ended: Deferred.await(ended),
    waitedFromNow: waits.fromNow,
    waitedSinceStart: waits.sinceStart,
    rssBytes: () => rssBytes,
    memoryUsed: () => (rssBytes - rssBytesWhenReady) / Math.max(1, memoryBytes - rssBytesWhenReady),
    pagesRead: () => pagesRead,
    isIdle: () => call === undefined,
    isAlive: () => died === undefined && disbelief === undefined,
    holds: (key) => held.has(key),
    heldCount: () => held.size,
    start: (work, location, listener) => {
      const settled = Deferred.makeUnsafe<void>()
      call = { id: ++calls, work, location, checker: new CallChecker(work), settled, listener, sent: undefined }
      // It may have died since it was lent.
      if (died === undefined) sendWork(call, true)
      else settle(died)
    },
    abort: () => {
      if (call === undefined) return
      call.listener = undefined
      if (call.sent !== undefined) send({ _tag: "Abort", call: call.id })
      else settle(undefined)
    },
    idle: Effect.suspend(() => (call === undefined ? Effect.void : Deferred.await(call.settled))),
    close: (key) => {
      if (held.has(key)) send({ _tag: "Close", key })
    },
    kill: () => {
      child.kill("SIGKILL")
    }
  }
}

/** Starts a worker. When the scope ends it is killed, and nothing of it is left afterwards. */
export const startWorker = (options: LaunchOptions): Effect.Effect<WorkerProcess, WorkerDied, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.try({
      try: () => supervise(launch(options), options.memoryBytes),
      catch: (cause) => new WorkerDied({ memory: false, detail: `it could not be started (${String(cause)})` })
    }),
    (worker) => Effect.andThen(Effect.sync(worker.kill), worker.ended)
  )

// One page worker as the engine sees it: a child process under a memory limit of the operating system, which counts what
// V8 keeps outside its heap as well. A worker thread would have neither that limit nor a death of its own.
import { Deferred, Effect } from "effect"
import type { Scope } from "effect"
import type { ChildProcess } from "node:child_process"
import { spawn } from "node:child_process"
import { getCompileCacheDir } from "node:module"
import { fileURLToPath } from "node:url"
import type { PageResult } from "../../domain/Page.ts"
import type { BlobLocation } from "../../services/BlobStore.ts"
import type { OpenedPdf } from "../../services/PdfEngine.ts"
import { PdfUnreadable, WorkerDied } from "../../services/PdfEngine.ts"
import type { Command, Outcome, Report, Timing, Work } from "./Protocol.ts"
import { isReport, moduleBeside } from "./Protocol.ts"

export interface WorkerLimits {
  /** What one worker may really use. */
  readonly memoryBytes: number
  readonly maxHeldDocuments: number
}

/** V8 reserves this much for machine code at its start and uses a few percent. The limit of the system counts it. */
const reservedBytes = 512 * 1024 * 1024

/** Who is told of one call. `end` comes once and last. */
export interface CallListener {
  readonly opened?: (opened: OpenedPdf) => void
  readonly pages: (results: ReadonlyArray<PageResult>) => void
  /** What reading the head took, told before the end. */
  readonly headMillis?: (millis: number) => void
  readonly end: (reason: PdfUnreadable | WorkerDied | undefined) => void
  /** Told before the end; whoever does not listen does not pay for it. A call that ended with its worker has none. */
  readonly timing?: ((timing: Timing) => void) | undefined
}

export interface WorkerProcess {
  readonly pid: number
  /** Succeeds once the worker can take calls; fails when it dies before that. */
  readonly ready: Effect.Effect<void, WorkerDied>
  /** Why it ended, once nothing of it is left. */
  readonly ended: Effect.Effect<WorkerDied>
  readonly rssBytes: () => number
  /** How much it has taken, since it became ready, of what was left then up to its memory limit: 0 to about 1. */
  readonly memoryUsed: () => number
  readonly pagesRead: () => number
  readonly isIdle: () => boolean
  readonly isAlive: () => boolean
  readonly holds: (key: string) => boolean
  readonly heldCount: () => number
  /** Only on an idle worker. */
  readonly start: (work: Work, location: BlobLocation, listener: CallListener) => void
  /** Asks it to drop its call; the listener hears no more of it. */
  readonly abort: () => void
  /** Succeeds when it has no call any more, because that ended or because it died. */
  readonly idle: Effect.Effect<void>
  readonly close: (key: string) => void
  readonly kill: () => void
}

const stderrCharacters = 4_096
const lastWordsMillis = 1_000

/** V8 ends the process in several ways when it cannot get memory, and leaves its reason only in words. */
const memoryDeath = /heap|out of memory|allocation failed|bad_alloc|cannot allocate|committing semi space/i

const nodeFlags = (memoryBytes: number): ReadonlyArray<string> => [
  // About a quarter: the rest is for what V8 keeps outside its heap, which is where the bytes of a PDF go.
  `--max-old-space-size=${Math.floor(memoryBytes / 4 / 1024 / 1024)}`,
  "--max-semi-space-size=16",
  "--no-warnings",
  "--title=sluice-page-worker"
]

const launch = (limits: WorkerLimits): ChildProcess => {
  const command = [
    process.execPath,
    ...nodeFlags(limits.memoryBytes),
    fileURLToPath(moduleBeside(import.meta.url, "Worker")),
    ...[process.pid, limits.memoryBytes, limits.maxHeldDocuments, Math.floor(limits.memoryBytes / 8)].map(String)
  ]
  // Where the system's own limit is lower already, `ulimit` fails and that one holds. `exec` keeps the process the same,
  // so its id, its signals and its end are the worker's.
  const kibibytes = String(Math.floor((limits.memoryBytes + reservedBytes) / 1024))
  const limited = ["/bin/sh", "-c", 'ulimit -c 0; ulimit -d "$0"; exec "$@"', kibibytes, ...command]
  const compiled = getCompileCacheDir()
  const [file = "", ...args] = process.platform === "win32" ? command : limited
  return spawn(file, args, {
    // Nothing of the engine's environment, where secrets are, reaches the process that interprets hostile files.
    env: compiled === undefined ? {} : { NODE_COMPILE_CACHE: compiled },
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    serialization: "advanced",
    windowsHide: true
  })
}

interface Call {
  readonly id: number
  readonly work: Work
  readonly location: BlobLocation
  readonly settled: Deferred.Deferred<void>
  listener: CallListener | undefined
}

const supervise = (child: ChildProcess, memoryBytes: number): WorkerProcess => {
  const ready = Deferred.makeUnsafe<void, WorkerDied>()
  const ended = Deferred.makeUnsafe<WorkerDied>()
  let held: ReadonlySet<string> = new Set()
  let died: WorkerDied | undefined
  let rssBytes = 0
  let rssBytesWhenReady = 0
  let pagesRead = 0
  let calls = 0
  let call: Call | undefined
  let stderr = ""

  // A send to a process that has just died fails. Its end is reported by its exit, so the failure says nothing new.
  const send = (command: Command): void => {
    if (child.connected) child.send(command, undefined, undefined, () => {})
  }

  const sendWork = ({ id, work, location, listener }: Call, mayBeHeld: boolean): void => {
    const source = mayBeHeld && location._tag === "Bytes" && held.has(work.key) ? ({ _tag: "Held" } as const) : location
    send({ _tag: "Start", call: id, work, source, timed: listener?.timing !== undefined })
  }

  const settle = (reason: PdfUnreadable | WorkerDied | undefined): void => {
    const settled = call
    call = undefined
    if (settled === undefined) return
    settled.listener?.end(reason)
    Deferred.doneUnsafe(settled.settled, Effect.void)
  }

  const reasonOf = (
    outcome: Exclude<Outcome, { readonly _tag: "NotHeld" }>
  ): PdfUnreadable | WorkerDied | undefined => {
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

  const tellPages = ({ listener }: Call, results: ReadonlyArray<PageResult>): void => {
    pagesRead += results.length
    listener?.pages(results)
  }

  const onReport = (report: Report): void => {
    if (report._tag === "Ready") {
      rssBytes = report.rssBytes
      rssBytesWhenReady = report.rssBytes
      Deferred.doneUnsafe(ready, Effect.void)
      return
    }
    if (call === undefined || call.id !== report.call) return
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
        if (report.outcome._tag === "NotHeld") return sendWork(call, false)
        if (report.timing !== undefined) call.listener?.timing?.(report.timing)
        if (report.outcome._tag === "Done") {
          tellPages(call, report.outcome.results)
          if (report.outcome.headMillis !== undefined) call.listener?.headMillis?.(report.outcome.headMillis)
        }
        settle(reasonOf(report.outcome))
    }
  }

  const onEnd = (how: string): void => {
    if (died !== undefined) return
    const said = stderr.split("\n").find((line) => /fatal|out of memory|error:/i.test(line)) ?? stderr
    died = new WorkerDied({
      memory: memoryDeath.test(stderr),
      detail: said.trim() === "" ? how : `${how}: ${said.trim().slice(0, 300)}`
    })
    Deferred.doneUnsafe(ready, Effect.fail(died))
    settle(died)
    Deferred.doneUnsafe(ended, Effect.succeed(died))
  }

  child.on("message", (message: unknown) => {
    if (isReport(message)) onReport(message)
  })
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
    // The beginning names the reason; what follows is a stack.
    if (stderr.length < stderrCharacters) stderr = (stderr + chunk).slice(0, stderrCharacters)
  })
  child.on("error", (error) => {
    if (child.pid === undefined) onEnd(`it could not be started (${error.message})`)
  })
  const how = (code: number | null, signal: string | null) =>
    signal === null ? `exit code ${code}` : `signal ${signal}`
  // Not at once at `exit`: the last words may still be on their way. But `close` waits for pipes, and nobody waits for ever.
  child.on("close", (code, signal) => onEnd(how(code, signal)))
  child.on("exit", (code, signal) => setTimeout(() => onEnd(how(code, signal)), lastWordsMillis).unref())

  return {
    pid: child.pid ?? 0,
    ready: Deferred.await(ready),
    ended: Deferred.await(ended),
    rssBytes: () => rssBytes,
    memoryUsed: () => (rssBytes - rssBytesWhenReady) / Math.max(1, memoryBytes - rssBytesWhenReady),
    pagesRead: () => pagesRead,
    isIdle: () => call === undefined,
    isAlive: () => died === undefined,
    holds: (key) => held.has(key),
    heldCount: () => held.size,
    start: (work, location, listener) => {
      call = { id: ++calls, work, location, settled: Deferred.makeUnsafe<void>(), listener }
      // It may have died since it was lent.
      if (died === undefined) sendWork(call, true)
      else settle(died)
    },
    abort: () => {
      if (call === undefined) return
      call.listener = undefined
      send({ _tag: "Abort", call: call.id })
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
export const startWorker = (limits: WorkerLimits): Effect.Effect<WorkerProcess, WorkerDied, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.try({
      try: () => supervise(launch(limits), limits.memoryBytes),
      catch: (cause) => new WorkerDied({ memory: false, detail: `it could not be started (${String(cause)})` })
    }),
    (worker) => Effect.andThen(Effect.sync(worker.kill), worker.ended)
  )

// A child process that does one task at a time, as the engine sees it: behind the walls of page workers, and under a memory
// limit of the operating system.
import { Deferred, Effect, type Scope } from "effect"
import type { Failure } from "../../domain/Failure.ts"
import type { BlobLocation } from "../../services/BlobStore.ts"
import { WorkerDied } from "../../services/PdfEngine.ts"
import { openBlob, unreadableBlob } from "../pdf/pool/BlobBytes.ts"
import { bytesHeader, frame, FrameReader } from "../pdf/pool/Channel.ts"
import { hearLastWords } from "../pdf/pool/LastWords.ts"
import { type Launched, launchProgram, type ProgramOptions } from "../pdf/pool/Launch.ts"
import { makeProcessorWaits, type ProcessorWaits } from "../pdf/pool/ProcessorTime.ts"
import { type Answer, isAnswer, type Message } from "./Messages.ts"

/** What a task works on. With a key, the child may keep the bytes for the next task of the same key. */
export interface Source {
  readonly key?: string
  readonly location: BlobLocation
}

export type TaskEnd =
  | { readonly _tag: "Done"; readonly value: unknown }
  | { readonly _tag: "Failed"; readonly failure: Failure }

interface Call {
  readonly id: number
  readonly end: Deferred.Deferred<TaskEnd, WorkerDied>
}

const lastWordsMillis = 1_000

/** Starting, then ready, then dead; ready with one call at a time. One that sends what is no answer is killed. */
export class Child {
  readonly #launched: Launched
  readonly #waits: ProcessorWaits
  readonly #ready = Deferred.makeUnsafe<void, WorkerDied>()
  readonly #ended = Deferred.makeUnsafe<WorkerDied>()
  #held: ReadonlyArray<string> = []
  #call: Call | undefined
  #calls = 0
  #death: WorkerDied | undefined
  #distrust: string | undefined
  #rssBytes = 0

  constructor(launched: Launched, mostAnswerBytes: number) {
    this.#launched = launched
    this.#waits = makeProcessorWaits(launched.onPid)
    const words = hearLastWords(launched.stderr, () => this.#distrusted("it wrote too much to its standard error"))
    const died = (code: number | null, signal: string | null) =>
      this.#died(words.reason(signal === null ? `exit code ${code}` : `signal ${signal}`))
    const { channel, child, release } = launched
    child.on("error", (error) => {
      if (child.pid === undefined) this.#died(words.reason(`it could not be started (${error.message})`))
    })
    // Not at once at `exit`: the last words may still be on their way. But `close` waits for pipes, and this wait has to end.
    child.on("close", died)
    child.on("exit", (code, signal) => {
      release()
      // oxlint-disable-next-line no-restricted-globals -- outside of any fiber
      setTimeout(() => died(code, signal), lastWordsMillis).unref()
    })
    const answers = new FrameReader(mostAnswerBytes, (message) => {
      if (this.#distrust !== undefined) return
      if (isAnswer(message)) this.#answered(message)
      else this.#distrusted("it sent what is no answer")
    })
    channel.on("data", (chunk: Buffer) => {
      try {
        answers.push(chunk)
      } catch (cause) {
        this.#distrusted(`it sent ${cause instanceof Error ? cause.message : "garbage"}`)
      }
    })
  }

  /** 0 until it is known. */
  pid(): number {
    return this.#waits.pid()
  }

  /** After its last task. */
  rssBytes(): number {
    return this.#rssBytes
  }

  isAlive(): boolean {
    return this.#death === undefined && this.#distrust === undefined
  }

  get ready(): Effect.Effect<void, WorkerDied> {
    return Deferred.await(this.#ready)
  }

  /** Why it ended, once nothing of it is left. */
  get ended(): Effect.Effect<WorkerDied> {
    return Deferred.await(this.#ended)
  }

  /** Measures how long it waited for a processor: milliseconds, 0 where it is not known. */
  waitedFromNow(): () => number {
    return this.#waits.fromNow()
  }

  waitedSinceStart(): number {
    return this.#waits.sinceStart()
  }

  isIdle(): boolean {
    return this.#call === undefined
  }

  /** Succeeds when it has no task any more, because that ended or because it died. */
  get idle(): Effect.Effect<void> {
    return Effect.suspend(() =>
      this.#call === undefined ? Effect.void : Effect.ignore(Deferred.await(this.#call.end))
    )
  }

  kill(): void {
    this.#launched.child.kill("SIGKILL")
  }

  /** One call at a time. */
  run(task: unknown, source?: Source): Effect.Effect<TaskEnd, WorkerDied> {
    return Effect.suspend(() => {
      if (this.#death !== undefined) return this.#death
      const call: Call = { id: ++this.#calls, end: Deferred.makeUnsafe() }
      this.#call = call
      if (source === undefined || this.#held.includes(source.key ?? "")) this.#start(call, task, source, undefined)
      else void this.#sendBytes(call, task, source)
      return Deferred.await(call.end)
    })
  }

  #send(message: Message): void {
    if (this.#launched.channel.writable) this.#launched.channel.write(frame(message))
  }

  #start(call: Call, task: unknown, source: Source | undefined, size: number | undefined): void {
    this.#send({ _tag: "Task", call: call.id, task, key: source?.key, size, hash: source?.location.hash })
  }

  async #sendBytes(call: Call, task: unknown, source: Source): Promise<void> {
    let started = false
    try {
      const blob = await openBlob(source.location)
      try {
        this.#start(call, task, source, blob.size)
        started = true
        const { channel } = this.#launched
        for await (const bytes of blob.portions) {
          if (this.#call !== call || !channel.writable) return
          channel.write(bytesHeader(bytes.length))
          // So that no more than one portion is in memory.
          await new Promise((resume) => channel.write(bytes, resume))
        }
      } finally {
        await blob.close()
      }
    } catch (cause) {
      const failure = unreadableBlob(cause)
      if (started) this.#send({ _tag: "CutOff", call: call.id, failure })
      else this.#end(call, Effect.succeed({ _tag: "Failed", failure }))
    }
  }

  #answered(answer: Answer): void {
    this.#rssBytes = answer.rssBytes
    if (answer._tag === "Ready") {
      Deferred.doneUnsafe(this.#ready, Effect.void)
      return
    }
    const call = this.#call
    if (call === undefined || call.id !== answer.call) return this.#distrusted("it answered another call")
    this.#held = answer.held
    this.#end(
      call,
      Effect.succeed(
        answer._tag === "Done" ? { _tag: "Done", value: answer.value } : { _tag: "Failed", failure: answer.failure }
      )
    )
  }

  #end(call: Call, result: Effect.Effect<TaskEnd, WorkerDied>): void {
    if (this.#call === call) this.#call = undefined
    Deferred.doneUnsafe(call.end, result)
  }

  #distrusted(why: string): void {
    this.#distrust ??= why
    this.#launched.channel.destroy()
    this.kill()
  }

  #died(reason: WorkerDied): void {
    if (this.#death !== undefined) return
    const death =
      this.#distrust === undefined
        ? reason
        : new WorkerDied({ memory: false, detail: `it was ended because ${this.#distrust}` })
    this.#death = death
    this.#waits.close()
    Deferred.doneUnsafe(this.#ready, Effect.fail(death))
    if (this.#call !== undefined) this.#end(this.#call, Effect.fail(death))
    Deferred.doneUnsafe(this.#ended, Effect.succeed(death))
  }
}

/** Starts a child. When the scope ends it is killed, and nothing of it is left afterwards. */
export const startChild = (
  options: ProgramOptions,
  mostAnswerBytes: number
): Effect.Effect<Child, WorkerDied, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.try({
      try: () => new Child(launchProgram(options), mostAnswerBytes),
      catch: (cause) => new WorkerDied({ memory: false, detail: `it could not be started (${String(cause)})` })
    }),
    (child) =>
      Effect.andThen(
        Effect.sync(() => child.kill()),
        child.ended
      )
  )

import { appendFile, fstat, open, type Stats } from "node:fs"
import { ByteSize, Effect, Schema } from "effect"
import { call, closeFile, fileMode } from "../blobs/Files.ts"
import { TraceLine, type TraceRecord } from "./TraceRecord.ts"

/** Records that may wait to be written. Further ones are counted and dropped. */
const mostWaiting = 65_536
const flushEvery = "500 millis"

export interface TraceWriterOptions {
  readonly file: string
  /** The file grows no larger than this; then the recording ends. */
  readonly limit: ByteSize.ByteSize
}

const encode = Schema.encodeSync(TraceLine)

/**
 * Appends records to the file, from a bounded buffer, as long as the scope lives. `write` never waits and never fails: a trace
 * must neither delay nor stop the service. If the file cannot be written, that is logged once and the recording ends.
 */
export const makeTraceWriter = Effect.fnUntraced(function* ({ file, limit }: TraceWriterOptions) {
  let waiting: Array<TraceRecord> = []
  let lost = 0
  let recording = true
  let room = ByteSize.toNumberUnsafe(limit)

  const giveUp = (reason: string) =>
    Effect.suspend(() => {
      recording = false
      waiting = []
      return Effect.logWarning("the trace is not recorded any further").pipe(Effect.annotateLogs({ file, reason }))
    })

  const descriptor = yield* Effect.acquireRelease(
    call<number>((done) => open(file, "a", fileMode, done)).pipe(
      Effect.catch((error) => Effect.as(giveUp(error.message), undefined))
    ),
    (opened) => (opened === undefined ? Effect.void : closeFile(opened))
  )

  const append = Effect.fnUntraced(function* (text: string) {
    if (descriptor === undefined || !recording) return
    const size = Buffer.byteLength(text)
    if (size > room) return yield* giveUp(`the file may not grow beyond ${ByteSize.format(limit)}`)
    room -= size
    yield* call((done) => appendFile(descriptor, text, (error) => done(error))).pipe(
      Effect.catch((error) => giveUp(error.message))
    )
  })

  const flush = Effect.suspend(() => {
    if (waiting.length === 0) return Effect.void
    const records = waiting
    const last = records.at(-1)
    waiting = []
    if (lost > 0 && last !== undefined && "at" in last) records.push({ _tag: "Lost", at: last.at, records: lost })
    lost = 0
    return append(records.map((record) => `${encode(record)}\n`).join(""))
  }).pipe(Effect.uninterruptible)

  if (descriptor !== undefined) {
    const { size } = yield* Effect.orElseSucceed(
      call<Pick<Stats, "size">>((done) => fstat(descriptor, done)),
      () => ({ size: 0 })
    )
    room -= size
    // The writer before may have been killed within a line.
    if (size > 0) yield* append("\n")
    // Added before the loop, so it runs after the loop was stopped.
    yield* Effect.addFinalizer(() => flush)
    yield* Effect.sleep(flushEvery).pipe(Effect.andThen(flush), Effect.forever, Effect.forkScoped)
  }

  return {
    write: (record: TraceRecord): void => {
      if (!recording) return
      if (waiting.length < mostWaiting) waiting.push(record)
      else lost++
    }
  }
})
export type TraceWriter = Effect.Success<ReturnType<typeof makeTraceWriter>>

import { readFileSync } from "node:fs"
import { Effect, Result, Schema } from "effect"
import { TraceLine, type TraceRecord, traceFormat } from "../../src/layers/recorder/TraceRecord.ts"

export class TraceUnreadable extends Schema.TaggedError<TraceUnreadable>()("TraceUnreadable", {
  file: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `${this.file} cannot be read: ${this.detail}`
  }
}

export class TraceBroken extends Schema.TaggedError<TraceBroken>()("TraceBroken", {
  file: Schema.String,
  line: Schema.Natural,
  detail: Schema.String
}) {
  override get message() {
    return `line ${this.line} of ${this.file} is no record of a trace: ${this.detail}`
  }
}

export class TraceTooNew extends Schema.TaggedError<TraceTooNew>()("TraceTooNew", {
  file: Schema.String,
  line: Schema.Natural,
  format: Schema.Natural
}) {
  override get message() {
    return `line ${this.line} of ${this.file} begins a trace of format ${this.format}; this version reads up to ${traceFormat}`
  }
}

type Of<Tag extends TraceRecord["_tag"]> = Extract<TraceRecord, { readonly _tag: Tag }>

/** What one start of the service wrote. */
export interface Recording {
  readonly header: Of<"Trace">
  readonly records: ReadonlyArray<Exclude<TraceRecord, Of<"Trace">>>
  /** The service was killed while it wrote a line. */
  readonly torn: boolean
}

interface Growing {
  readonly header: Of<"Trace">
  readonly records: Array<Recording["records"][number]>
  torn: boolean
}

interface Line {
  readonly number: number
  readonly text: string
}

/** Without those that are empty. The file may be larger than a string can be. */
const linesOf = (bytes: Buffer): ReadonlyArray<Line> => {
  const lines: Array<Line> = []
  let number = 0
  for (let from = 0; from < bytes.length;) {
    const found = bytes.indexOf(10, from)
    const end = found < 0 ? bytes.length : found
    const text = bytes.toString("utf8", from, end).trim()
    number++
    if (text !== "") lines.push({ number, text })
    from = end + 1
  }
  return lines
}

const decodeHeader = Schema.decodeUnknownResult(
  Schema.fromJsonString(Schema.Struct({ _tag: Schema.Literal("Trace"), format: Schema.Natural }))
)
const decodeLine = Schema.decodeUnknownResult(TraceLine)

const isHeader = (line: Line | undefined): boolean => line === undefined || Result.isSuccess(decodeHeader(line.text))

/** The recordings in the file, the oldest first; at least one. */
export const readTrace = Effect.fnUntraced(function* (file: string) {
  const bytes = yield* Effect.try({
    try: () => readFileSync(file),
    catch: (cause) => new TraceUnreadable({ file, detail: cause instanceof Error ? cause.message : String(cause) })
  })
  const lines = linesOf(bytes)
  const recordings: Array<Growing> = []
  for (const [index, { number: line, text }] of lines.entries()) {
    const header = decodeHeader(text)
    if (Result.isSuccess(header) && header.success.format > traceFormat) {
      return yield* new TraceTooNew({ file, line, format: header.success.format })
    }
    const decoded = decodeLine(text)
    const current = recordings.at(-1)
    if (Result.isFailure(decoded)) {
      // The last line that a killed service wrote need not be whole.
      if (index > 0 && current !== undefined && isHeader(lines[index + 1]) && !isJson(text)) {
        current.torn = true
        continue
      }
      return yield* new TraceBroken({ file, line, detail: decoded.failure.message.replaceAll(/\s+/g, " ") })
    }
    const record = decoded.success
    if (record._tag === "Trace") recordings.push({ header: record, records: [], torn: false })
    else if (current === undefined)
      return yield* new TraceBroken({ file, line, detail: "it does not begin with a Trace" })
    else current.records.push(record)
  }
  if (recordings.length === 0) return yield* new TraceUnreadable({ file, detail: "there is nothing in it" })
  const found: ReadonlyArray<Recording> = recordings
  return found
})

const decodeJson = Schema.decodeUnknownResult(Schema.fromJsonString(Schema.Unknown))
const isJson = (text: string): boolean => Result.isSuccess(decodeJson(text))

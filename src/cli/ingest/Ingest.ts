import { join } from "node:path"
import { Effect, FileSystem, type PlatformError, Predicate, Stream } from "effect"
import { writeAtomically } from "./AtomicFile.ts"
import { extensionOf, type Format, render } from "./Formats.ts"
import { type Named, outputNames } from "./Inputs.ts"
import type { Outcome } from "./Outcome.ts"
import { Progress } from "./Progress.ts"
import { type Input, NotIngested, type Seen, Target } from "./Target.ts"
import { warningsField } from "../../domain/Warning.ts"
import { printable } from "../Text.ts"

/** Files being worked on at once: enough to keep a server busy, few enough to look at. */
export const filesAtOnce = 8

export interface Wanted {
  /** Until each document's end. */
  readonly wait: boolean
  readonly out: string | undefined
  readonly format: Format
}

/** With the operating system's own code, `ENOSPC` say. */
const causeOf = ({ message, reason: { cause } }: PlatformError.PlatformError): string =>
  Predicate.hasProperty(cause, "code") ? `${String(cause.code)}: ${message}` : message

/** Sends one file and, if that is wanted, waits for its end and writes its pages. */
const ingestOne = Effect.fnUntraced(function* ({ input, out }: Named, { format, out: folder, wait }: Wanted) {
  const target = yield* Target
  const progress = yield* Progress
  const { id, duplicate } = yield* target.submit(input, {
    sent: (sent) => progress.update(input, { _tag: "Sending", sent }),
    busy: (code, seconds) => progress.update(input, { _tag: "Busy", code, seconds })
  })
  yield* progress.update(input, { _tag: "Accepted", accepted: { id, duplicate } })
  const known = { file: input.path, id, ...(duplicate ? { duplicate } : {}) }
  const accepted: Outcome = { ...known, status: "accepted" }
  if (!wait) return accepted

  const finish = Effect.gen(function* () {
    let last: Seen | undefined
    yield* Stream.runForEach(target.follow(id), (seen) => {
      last = seen
      return progress.update(input, { _tag: "Seen", seen })
    })
    if (last === undefined) return yield* new NotIngested({ code: "LOST", detail: "nothing was seen of the document" })
    const { done, error, failed, status, warned, warnings } = last
    const ended: Outcome = {
      ...known,
      status,
      pages: done,
      ...(failed > 0 ? { failedPages: failed } : {}),
      ...(warned > 0 ? { warnedPages: warned } : {}),
      ...warningsField(warnings),
      ...(error === undefined ? {} : { error })
    }
    if (folder === undefined || (status !== "completed" && status !== "partial")) return ended
    const path = join(folder, out)
    yield* writeAtomically(path, render(format, printable(input.name), target.pages(id)))
    const written: Outcome = { ...ended, out: path }
    return written
  })
  return yield* Effect.ensuring(finish, target.forget(id)).pipe(
    Effect.catchTags({
      NotIngested: ({ code, detail }) => Effect.succeed<Outcome>({ ...accepted, error: { code, detail } }),
      PlatformError: (error) =>
        Effect.succeed<Outcome>({ ...accepted, error: { code: "NOT_WRITTEN", detail: causeOf(error) } })
    })
  )
})

const refused = ({ path }: Input, { code, detail }: NotIngested): Outcome => ({
  file: path,
  status: "refused",
  error: { code, detail }
})

/** Works on all files, some at a time. One that fails does not spoil the others; a server that is not there ends it. */
export const ingestAll = Effect.fn("cli.ingest")(function* (inputs: ReadonlyArray<Input>, wanted: Wanted) {
  const progress = yield* Progress
  const system = yield* FileSystem.FileSystem
  if (wanted.out !== undefined) yield* system.makeDirectory(wanted.out, { recursive: true })
  const named = outputNames(inputs, extensionOf[wanted.format])
  if (wanted.out !== undefined) {
    for (const { input, out, renamed } of named) {
      if (renamed) yield* progress.note(printable(`${input.path}: goes to ${out}, as another file has its name`))
    }
  }
  const outcomes = yield* Effect.forEach(
    named,
    (each) =>
      ingestOne(each, wanted).pipe(
        Effect.catchTag("NotIngested", (error) => Effect.succeed(refused(each.input, error))),
        Effect.tap((outcome) => progress.settled(each.input, outcome))
      ),
    { concurrency: filesAtOnce }
  )
  yield* progress.summary(outcomes)
  return outcomes
})

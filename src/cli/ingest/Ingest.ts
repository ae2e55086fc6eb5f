import { join } from "node:path"
import { Deferred, Effect, FileSystem, type PlatformError, Stdio, Stream } from "effect"
import { CommandFailed } from "../CommandFailure.ts"
import { reasonOfSystem } from "../SystemError.ts"
import { writeAtomically } from "./AtomicFile.ts"
import { contentOf, extensionOf, type Format, separatorOf } from "./Formats.ts"
import { type Found, type Named, outputNames } from "./Inputs.ts"
import type { Outcome } from "./ItemResult.ts"
import { Progress } from "./Progress.ts"
import { isReaderGone } from "./Standard.ts"
import { type Input, NotIngested, type Seen, Target } from "./Target.ts"
import { warningsField } from "../../domain/document/Warning.ts"
import { printable } from "../Text.ts"

/** How many files are processed at once: enough to keep a server busy, few enough to show. */
export const filesAtOnce = 8

/** Where the pages are written: one file per document in a folder, or all to standard output. */
export type Destination = { readonly _tag: "Folder"; readonly path: string } | { readonly _tag: "Stdout" }

export interface IngestSettings {
  /** Whether to wait until each document has ended. */
  readonly wait: boolean
  readonly out: Destination | undefined
  readonly format: Format
}

/** Writes a document, and returns the path if it was written to a file. */
type Write = (
  name: Named,
  content: Stream.Stream<Uint8Array, NotIngested>
) => Effect.Effect<string | undefined, NotIngested | PlatformError.PlatformError | CommandFailed, FileSystem.FileSystem>

const toFolder =
  (folder: string): Write =>
  ({ out }, content) => {
    const path = join(folder, out)
    return Effect.as(writeAtomically(path, content), path)
  }

/** Writes one document after the other, with separators between them. */
const toStdout = Effect.map(Stdio.Stdio, (stdio) => (format: Format): Write => {
  let isFirst = true
  return (_name, content) =>
    Effect.suspend(() => {
      const separator = isFirst ? "" : separatorOf[format]
      isFirst = false
      return Stream.run(Stream.concat(Stream.encodeText(Stream.make(separator)), content), stdio.stdout())
    }).pipe(
      Effect.as(undefined),
      Effect.mapError((error) => (isReaderGone(error) ? new CommandFailed() : error))
    )
})

/** Sends one file and, if requested, waits for the document's end and writes its pages. */
const ingestOne = Effect.fnUntraced(function* (
  named: Named,
  { format, wait }: IngestSettings,
  write: Write | undefined
) {
  const { input } = named
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
    if (write === undefined || (status !== "completed" && status !== "partial")) return ended
    const path = yield* write(named, contentOf(target, id, format))
    const written: Outcome = { ...ended, ...(path === undefined ? {} : { out: path }) }
    return written
  })
  return yield* Effect.ensuring(finish, target.forget(id)).pipe(
    Effect.catchTags({
      NotIngested: ({ code, detail }) => Effect.succeed<Outcome>({ ...accepted, error: { code, detail } }),
      PlatformError: (error) =>
        Effect.succeed<Outcome>({ ...accepted, error: { code: "NOT_WRITTEN", detail: reasonOfSystem(error) } })
    })
  )
})

const refused = ({ path }: Input, { code, detail }: NotIngested): Outcome => ({
  file: path,
  status: "refused",
  error: { code, detail }
})

/** Makes documents write in the order of their turns: each waits until all earlier turns have ended. */
const makeTurns = () => {
  let before: Effect.Effect<void> = Effect.void
  return () => {
    const mine = before
    const done = Deferred.makeUnsafe<void>()
    before = Deferred.await(done)
    return {
      write:
        (write: Write): Write =>
        (named, content) =>
          Effect.andThen(mine, write(named, content)),
      /** Also waits for the earlier turns, so a document that writes nothing does not let the next one write too early. */
      end: Effect.andThen(mine, Deferred.succeed(done, undefined))
    }
  }
}

const anyTime = { write: (write: Write) => write, end: Effect.void }

/** Reports files that are renamed because of a name conflict, before any file is written. */
const noteRenamed = Effect.fnUntraced(function* (named: ReadonlyArray<Named>) {
  const progress = yield* Progress
  for (const { input, out, renamed } of named) {
    if (renamed) yield* progress.note(printable(`${input.path}: goes to ${out}, as another file has its name`))
  }
})

/**
 * Processes all files, some at a time. A file that fails does not affect the others; an unreachable server ends the command. On
 * standard output, documents appear in the order of the files.
 */
export const ingestAll = Effect.fn("cli.ingest")(function* ({ inputs, unusable }: Found, settings: IngestSettings) {
  const progress = yield* Progress
  const system = yield* FileSystem.FileSystem
  const { format, out } = settings
  const named = outputNames(inputs, extensionOf[format])
  if (out?._tag === "Folder") {
    yield* system.makeDirectory(out.path, { recursive: true })
    yield* noteRenamed(named)
  }
  const write = out === undefined ? undefined : out._tag === "Folder" ? toFolder(out.path) : (yield* toStdout)(format)
  const nextTurn = out?._tag === "Stdout" ? makeTurns() : () => anyTime
  const turns = named.map((each) => ({ each, turn: nextTurn() }))
  yield* Effect.forEach(unusable, progress.refused, { discard: true })
  const outcomes = yield* Effect.forEach(
    turns,
    ({ each, turn }) =>
      ingestOne(each, settings, write && turn.write(write)).pipe(
        Effect.ensuring(turn.end),
        Effect.catchTag("NotIngested", (error) => Effect.succeed(refused(each.input, error))),
        Effect.tap((outcome) => progress.settled(each.input, outcome))
      ),
    { concurrency: filesAtOnce }
  )
  const all = [...unusable, ...outcomes]
  yield* progress.summary(all)
  return all
})

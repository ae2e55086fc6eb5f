import { resolve } from "node:path"
import { Console, Effect, Option, Stdio, Stream } from "effect"
import { Flag } from "effect/cli"
import { CommandFailed } from "./CommandFailure.ts"
import { writeAtomically } from "./ingest/AtomicFile.ts"
import { isReaderGone, standard } from "./ingest/Standard.ts"
import { Json } from "./Json.ts"
import { printable } from "./Text.ts"

/** Where the content of a document goes. */
export const outFlag = Flag.String("out").pipe(
  Flag.withAlias("o"),
  Flag.withDescription("The file to write, as a whole or not at all; - or none is standard output"),
  Flag.optional
)

/** Writes content as it is to a file or to standard output. */
export const writeOut = Effect.fnUntraced(function* <E, R>(
  out: Option.Option<string>,
  content: Stream.Stream<Uint8Array, E, R>
) {
  if (Option.isSome(out) && out.value !== standard) return yield* writeAtomically(resolve(out.value), content)
  const stdio = yield* Stdio.Stdio
  yield* Stream.run(content, stdio.stdout()).pipe(
    Effect.mapError((error) => (isReaderGone(error) ? new CommandFailed() : error))
  )
})

interface Told {
  readonly complete: boolean
  readonly status: string
  readonly missing?: string
  readonly incomplete?: string
}

/** What a text lacks, on standard error, so that the text itself stays as it is. */
export const tellGaps = Effect.fnUntraced(function* ({ complete, incomplete, missing, status }: Told) {
  if (complete) return
  if (yield* Json) return yield* Console.error(JSON.stringify({ partial: { status, missing, incomplete } }))
  const parts = [
    `the document is ${status}`,
    missing === undefined ? undefined : `without text: pages ${missing}`,
    incomplete === undefined ? undefined : `with warnings: pages ${incomplete}`
  ]
  yield* Console.error(printable(`sluice: ${parts.filter((part) => part !== undefined).join("; ")}`))
})

import { join } from "node:path"
import { Effect, FileSystem, PlatformError, Predicate, Stdio, Stream } from "effect"
import { WrongUsage } from "../CommandFailure.ts"
import type { Input } from "./Target.ts"

/** The argument that means standard input as a file, and standard output as the output folder. */
export const standard = "-"

/**
 * Copies standard input to a temporary file that lives as long as the scope: it may have to be sent more than once, and its
 * size is needed first.
 */
export const spooledStdin = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  const stdio = yield* Stdio.Stdio
  if (yield* stdio.stdinIsTerminal) {
    return yield* new WrongUsage({
      message: "- reads a PDF from standard input, which is a terminal: pipe one into it"
    })
  }
  const spool = join(yield* files.makeTempDirectoryScoped({ prefix: "sluice-stdin-" }), "stdin.pdf")
  yield* Stream.run(stdio.stdin, files.sink(spool, { flag: "wx", mode: 0o600 }))
  const { size } = yield* files.stat(spool)
  const input: Input = { path: standard, spool, name: "stdin.pdf", size: Number(size) }
  return input
})

/** Whether the reader of standard output closed it, as `sluice ingest … --out - | head` does. This is not reported as an error. */
export const isReaderGone = (error: unknown): boolean =>
  error instanceof PlatformError.PlatformError &&
  Predicate.hasProperty(error.reason.cause, "code") &&
  error.reason.cause.code === "EPIPE"

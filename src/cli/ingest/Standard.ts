import { join } from "node:path"
import { Effect, FileSystem, PlatformError, Predicate, Stdio, Stream } from "effect"
import { WrongUsage } from "../CommandFailure.ts"
import type { Input } from "./Target.ts"

/** What stands for standard input among the files, and for standard output in place of a folder. */
export const standard = "-"

/**
 * All that comes by standard input, in a file that is gone with the scope: it may have to be sent more than once, and its
 * size told first.
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

/** The reader of standard output has gone: `sluice ingest … --out - | head` wants no more, and no complaint either. */
export const isReaderGone = (error: unknown): boolean =>
  error instanceof PlatformError.PlatformError &&
  Predicate.hasProperty(error.reason.cause, "code") &&
  error.reason.cause.code === "EPIPE"

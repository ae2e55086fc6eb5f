import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Ref from "effect/Ref"
import * as Runtime from "effect/Runtime"

/** Exit codes: 0 done, 1 something failed, 2 wrong usage, 130 interrupted. Errors are reported in one line. */

/** Something failed, and the failure was reported. */
export class CommandFailed extends Data.TaggedError("CommandFailed")<{}> {
  override readonly [Runtime.errorReported] = false
}

/** The command line was wrong, and the error was reported. */
export class UsageFailed extends Data.TaggedError("UsageFailed")<{}> {
  override readonly [Runtime.errorExitCode] = 2
  override readonly [Runtime.errorReported] = false
}

/** The exit code after a signal to stop. For a server that is a normal end, for other commands it is an interruption. */
export const InterruptedExit = Context.Reference<Ref.Ref<number>>("sluice/cli/Ending/InterruptedExit", {
  defaultValue: () => Ref.makeUnsafe(130)
})

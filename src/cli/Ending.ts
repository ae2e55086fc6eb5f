import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Ref from "effect/Ref"
import * as Runtime from "effect/Runtime"

/** How commands end: 0 done, 1 something failed, 2 wrong usage, 130 interrupted. What went wrong is said in one line. */

/** Something failed, and was told. */
export class CommandFailed extends Data.TaggedError("CommandFailed")<{}> {
  override readonly [Runtime.errorReported] = false
}

/** The command line itself was at fault, and that was told. */
export class UsageFailed extends Data.TaggedError("UsageFailed")<{}> {
  override readonly [Runtime.errorExitCode] = 2
  override readonly [Runtime.errorReported] = false
}

/** The exit code when the program is told to stop. A server that is stopped has done its work; other commands have not. */
export const InterruptedExit = Context.Reference<Ref.Ref<number>>("sluice/cli/InterruptedExit", {
  defaultValue: () => Ref.makeUnsafe(130)
})

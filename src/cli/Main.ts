// The process of the command line, from its arguments to its exit code.
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Cause, Effect, Exit, Ref, Runtime, Stdio } from "effect"
import { exitAtSecondSignal } from "../layers/Signals.ts"
import { InterruptedExit } from "./Failure.ts"
import { run } from "./Sluice.ts"

const interruptedExit = Ref.makeUnsafe(130)

const teardown: Runtime.Teardown = (exit, onExit) =>
  Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)
    ? onExit(Ref.getUnsafe(interruptedExit))
    : Runtime.defaultTeardown(exit, onExit)

exitAtSecondSignal()
Stdio.Stdio.use(({ args }) => args).pipe(
  Effect.flatMap(run),
  Effect.provideService(InterruptedExit, interruptedExit),
  Effect.provide(NodeServices.layer),
  NodeRuntime.runMain({ teardown })
)

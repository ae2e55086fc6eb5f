// The process of the command line, from its arguments to its exit code. This module and its static imports import the modules
// of effect one by one: loading all of effect takes longer than printing the help.
import "../domain/EffectCopy.ts"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Ref from "effect/Ref"
import * as Runtime from "effect/Runtime"
import * as Stdio from "effect/Stdio"
import { exitAtSecondSignal } from "../layers/config/Signals.ts"
import { InterruptedExit } from "./Ending.ts"
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

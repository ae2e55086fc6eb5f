#!/usr/bin/env node
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Cause, Effect, Exit, Ref, Runtime, Stdio } from "effect"
import { InterruptedExit } from "./cli/Failure.ts"
import { run } from "./cli/Sluice.ts"
import { exitAtSecondSignal } from "./layers/Signals.ts"

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

#!/usr/bin/env node
import { NodeRuntime } from "@effect/platform-node"
import { Console, Data, Effect, Exit, Cause, Layer, Runtime } from "effect"
import { Drain } from "./actors/Drain.ts"
import { HttpConfig } from "./http/HttpConfig.ts"
import * as NodeServer from "./http/NodeServer.ts"
import * as Server from "./http/Server.ts"
import * as Engine from "./layers/Engine.ts"
import { exitAtSecondSignal } from "./layers/Signals.ts"
import * as Telemetry from "./layers/Telemetry.ts"

/** Printed once the server listens, ready to be pasted. */
const welcome = Layer.effectDiscard(
  Effect.gen(function* () {
    const { host, port } = yield* HttpConfig
    const url = `http://${host.includes(":") ? `[${host}]` : host}:${port}`
    yield* Console.log(`
Sluice listens on ${url} (interface description: ${url}/docs). Try it:

  curl --data-binary @examples/welcome.pdf -H 'content-type: application/pdf' '${url}/v1/documents?name=welcome.pdf'
`)
  })
)

/** Released first, so the server goes on answering reads while the engine comes to rest. */
const drainFirst = Layer.effectDiscard(Effect.flatMap(Drain, ({ run }) => Effect.addFinalizer(() => run)))

const service = Layer.merge(welcome, drainFirst).pipe(
  Layer.provide(Server.layer),
  Layer.provide([Engine.layer, NodeServer.layer]),
  Layer.provide(Telemetry.layer)
)

class CannotStart extends Data.TaggedError("CannotStart")<{}> {
  override readonly [Runtime.errorReported] = false
}

/** In one line for the person who started it; a stack says nothing about a wrong setting or a port in use. */
const explain = (error: Error) => {
  const reason = error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message
  return Effect.andThen(Console.error(`Sluice cannot start: ${reason}`), Effect.fail(new CannotStart()))
}

/** Being told to stop is no failure. */
const teardown: Runtime.Teardown = (exit, onExit) =>
  Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause) ? onExit(0) : Runtime.defaultTeardown(exit, onExit)

exitAtSecondSignal()
Layer.launch(service).pipe(Effect.catch(explain), NodeRuntime.runMain({ teardown }))

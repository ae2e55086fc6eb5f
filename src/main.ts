#!/usr/bin/env node
import { join, relative } from "node:path"
import { cwd } from "node:process"
import { NodeRuntime } from "@effect/platform-node"
import { Cause, Console, Data, Effect, Exit, Layer, Runtime, Schema, SchemaIssue } from "effect"
import { HttpServer } from "effect/http"
import { Drain } from "./actors/Drain.ts"
import * as NodeServer from "./http/NodeServer.ts"
import * as Server from "./http/Server.ts"
import * as Engine from "./layers/Engine.ts"
import { exitAtSecondSignal } from "./layers/Signals.ts"
import * as Telemetry from "./layers/Telemetry.ts"

const example = relative(cwd(), join(import.meta.dirname, "../examples/welcome.pdf"))

/** Printed once the server listens, ready to be pasted. */
const welcome = Layer.effectDiscard(
  Effect.gen(function* () {
    const { address } = yield* HttpServer.HttpServer
    const url = HttpServer.formatAddress(address)
    yield* Console.log(`
Sluice listens on ${url} (interface description: ${url}/docs). Try it:

  curl --data-binary @${example} -H 'content-type: application/pdf' '${url}/v1/documents?name=welcome.pdf'
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

const describeIssues = SchemaIssue.makeFormatterStandardSchemaV1()

/** In one line for the person who started it; a stack says nothing about a wrong setting or a port in use. */
const reasonOf = (error: Error): string => {
  const { cause } = error
  if (cause instanceof Schema.SchemaError) {
    const { issues } = describeIssues(cause.issue)
    return issues.map(({ message, path }) => `${path?.join("_")}: ${message}`).join("; ")
  }
  return [error.message, cause instanceof Error ? cause.message : ""].filter((text) => text !== "").join(": ")
}

const explain = (error: Error) =>
  Effect.andThen(Console.error(`Sluice cannot start: ${reasonOf(error)}`), Effect.fail(new CannotStart()))

/** Being told to stop is no failure. */
const teardown: Runtime.Teardown = (exit, onExit) =>
  Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause) ? onExit(0) : Runtime.defaultTeardown(exit, onExit)

exitAtSecondSignal()
Layer.launch(service).pipe(Effect.catch(explain), NodeRuntime.runMain({ teardown }))

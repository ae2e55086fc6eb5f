import { join, relative } from "node:path"
import { cwd, kill, pid, stdin } from "node:process"
import { Config, Console, Effect, Layer, References } from "effect"
import { HttpServer } from "effect/http"
import { Shutdown } from "../actors/upkeep/Shutdown.ts"
import { AuthConfig } from "../http/auth/AuthConfig.ts"
import * as NodeServer from "../http/edge/NodeServer.ts"
import * as Server from "../http/Server.ts"
import * as Engine from "../layers/Engine.ts"
import * as Telemetry from "../layers/observability/Telemetry.ts"
import { describeWalls, PdfEngine } from "../services/PdfEngine.ts"

const example = relative(cwd(), join(import.meta.dirname, "../../examples/welcome.pdf"))

/**
 * Printed once the server listens: for a person with a command to paste, or as a JSON log line. Scripts wait for it, so it is
 * printed at every log level.
 */
const welcome = Layer.effectDiscard(
  Effect.gen(function* () {
    const { address } = yield* HttpServer.HttpServer
    const url = HttpServer.formatAddress(address)
    const { mode } = yield* AuthConfig
    const key = mode === "keys" ? ` -H "Authorization: Bearer $ADMIN_KEY"` : ""
    const listens = `Sluice listens on ${url}`
    if ((yield* Telemetry.LogFormatConfig) === "json")
      return yield* Effect.logInfo(listens).pipe(
        Effect.annotateLogs({ url, docs: `${url}/docs`, auth: mode }),
        Effect.provideService(References.MinimumLogLevel, "Info")
      )
    yield* Console.log(`
${listens} (interface description: ${url}/docs). Try it:

  curl --data-binary @${example}${key} -H 'content-type: application/pdf' '${url}/v1/documents?name=welcome.pdf'
`)
  })
)

const logWalls = Layer.effectDiscard(
  Effect.gen(function* () {
    const { capacity, status } = yield* PdfEngine
    // A process that reads no pages has none.
    if (capacity === 0) return
    const { walls = [] } = yield* status
    const text = `page workers are ${describeWalls(walls)}`
    yield* walls.every(({ stands }) => stands) ? Effect.logInfo(text) : Effect.logWarning(text)
  })
)

/** Released first, so the server continues to answer reads while the engine shuts down. */
const drainFirst = Layer.effectDiscard(Effect.flatMap(Shutdown, ({ run }) => Effect.addFinalizer(() => run)))

/** A runner that is supervised stops in order when its supervisor is gone, whatever ended that. */
const stopWithSupervisor = Layer.effectDiscard(
  Effect.gen(function* () {
    if ((yield* Config.Literals(["on", "off"], "SUPERVISED").pipe(Config.withDefault("off"))) === "off") return
    stdin.resume().once("end", () => kill(pid, "SIGTERM"))
  })
)

/** The server as a whole. */
export const service = Layer.mergeAll(welcome, logWalls, drainFirst, stopWithSupervisor).pipe(
  Layer.provide(Server.layer),
  Layer.provide([Engine.layer, NodeServer.layer]),
  Layer.provide(Telemetry.layer)
)

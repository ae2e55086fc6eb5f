import { accessSync, constants } from "node:fs"
import { isAbsolute, join } from "node:path"
import { Config, Effect, Option } from "effect"
import { defaultPipeline, possible } from "../../layers/Pipelines.ts"
import { declarationsOf, type PipelinesFile, pipelinesFromEnv } from "../../layers/config/PipelinesFile.ts"
import { commandTools } from "../../layers/stages/command/Tools.ts"
import { reasonOf } from "../CommandFailure.ts"
import { fail, type Finding, ok, warn } from "./Finding.ts"

const name = "pipelines"

const isProgram = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** The path on which commands of stages are looked for. */
const places = ["/usr/local/bin", "/usr/bin", "/bin"]

const isInstalled = (program: string): boolean =>
  isAbsolute(program) ? isProgram(program) : places.some((place) => isProgram(join(place, program)))

/** Names of variables only: their values are secrets. */
const missingSecrets = Effect.fnUntraced(function* ({ downstreams = {} }: PipelinesFile) {
  const missing: Array<string> = []
  for (const [downstream, { headers = {} }] of Object.entries(downstreams)) {
    for (const [header, value] of Object.entries(headers)) {
      if (typeof value === "string") continue
      const found = yield* Effect.option(Config.Redacted(value.env))
      if (Option.isNone(found)) missing.push(`${value.env} (downstreams.${downstream}.headers.${header})`)
    }
  }
  return missing
})

const commandsOf = ({ stages = {} }: PipelinesFile) =>
  Object.entries(stages).flatMap(([stage, settings]) =>
    settings.type === "command" ? [{ stage, program: settings.run[0] }] : []
  )

const told = (file: PipelinesFile) => {
  const { downstreams = {}, pipelines = {}, stages = {} } = file
  const count = (all: object, noun: string) => `${Object.keys(all).length} ${noun}`
  return [count(downstreams, "downstreams"), count(stages, "stages"), count(pipelines, "pipelines")].join(", ")
}

/** Checks PIPELINES_FILE: that it can be read, and that what it names is there. */
export const checkPipelines = Effect.gen(function* () {
  const file: PipelinesFile = yield* pipelinesFromEnv(possible)
  const standard = yield* defaultPipeline
  const known = new Set<string>(["text", "ocr", ...declarationsOf(file).map(({ name }) => name)])
  if (!known.has(standard))
    return fail(name, `PIPELINE: there is no pipeline ${standard}`, `Name one of ${[...known].join(", ")}.`)
  const secrets = yield* missingSecrets(file)
  if (secrets.length > 0)
    return fail(name, `not set: ${secrets.join(", ")}`, "Set the variables; a server would not start without them.")
  const commands = commandsOf(file)
  const missing = commands.filter(({ program }) => !isInstalled(program))
  if (missing.length > 0) {
    const names = missing.map(({ program, stage }) => `${program} (stages.${stage})`).join(", ")
    return warn(name, `not installed: ${names}`, "Install them, or correct `run`; the stages would fail.")
  }
  const detail = Object.keys(file).length <= 1 ? "none are declared (PIPELINES_FILE)" : told(file)
  if (commands.length === 0) return ok(name, detail)
  const { noLimits, noWalls } = yield* commandTools
  if (noWalls === undefined) return ok(name, `${detail}; commands run behind bubblewrap`)
  const why = noLimits === undefined ? "under limits alone" : `not at all: ${noLimits}`
  return warn(name, `${detail}; commands run ${why}, as bubblewrap does not work: ${noWalls}`, "See docs/pipelines.md.")
}).pipe(
  Effect.catch((error): Effect.Effect<Finding> =>
    Effect.succeed(fail(name, reasonOf(error), "Correct the file; docs/pipelines.schema.json describes it."))
  )
)

import { readFileSync } from "node:fs"
import { Config, Effect, Result, Schema, SchemaIssue } from "effect"
import { DownstreamsRecord } from "../../services/downstreams/DownstreamSettings.ts"
import { PipelineName, StageName } from "../../domain/pipeline/Pipeline.ts"
import {
  declarationMistakes,
  type PipelineDeclaration,
  type StageOutline
} from "../../services/pipelines/PipelineDeclarations.ts"
import { stageMistakes } from "../../services/pipelines/settings/StageDownstreams.ts"
import { StagesRecord, StepSettings } from "../../services/pipelines/settings/StageSettings.ts"
import { jsonPlaces } from "./JsonPlaces.ts"

/** A stage, or just its name. */
export const Step = Schema.Union([StageName, StepSettings]).annotate({
  expected: "the name of a stage, or an object with `stage`"
})
const Pipelines = Schema.Record(PipelineName, Schema.Array(Step))

/** What `PIPELINES_FILE` holds. */
export const PipelinesFile = Schema.Struct({
  $schema: Schema.optionalKey(Schema.String.annotate({ description: "For editors; not read." })),
  downstreams: Schema.optionalKey(
    DownstreamsRecord.annotate({ description: "What stages call outside of the engine, by name." })
  ),
  stages: Schema.optionalKey(StagesRecord.annotate({ description: "Steps of work, by name." })),
  pipelines: Schema.optionalKey(
    Pipelines.annotate({ description: "The stages that documents go through, by the pipeline's name." })
  )
}).annotate({ title: "PIPELINES_FILE of Sluice" })
export interface PipelinesFile extends Schema.Schema.Type<typeof PipelinesFile> {}

/** The file is not there, or says what cannot be: every mistake with its line and its path. No value is shown. */
export class PipelinesFileInvalid extends Schema.TaggedError<PipelinesFileInvalid>()("PipelinesFileInvalid", {
  file: Schema.String,
  mistakes: Schema.Array(Schema.String)
}) {
  override get message() {
    return `PIPELINES_FILE: ${this.mistakes.map((mistake) => `${this.file}${mistake}`).join("; ")}`
  }
}

/** What is wrong, and the names and numbers that lead to it. */
export interface Mistake {
  readonly path: ReadonlyArray<PropertyKey>
  readonly message: string
}

const mostMistakes = 20
const issuesOf = SchemaIssue.makeFormatterStandardSchemaV1()
const decode = Schema.decodeUnknownResult(PipelinesFile, { onExcessProperty: "error", errors: "all" })

/** Where JSON ends to be JSON; the rest of Node's message shows a part of the text. */
const syntaxError = (error: unknown): string => {
  const place = error instanceof Error ? /line (\d+) column (\d+)/.exec(error.message) : null
  return place === null ? ": it is not JSON" : `, line ${place[1]}: it is not JSON from column ${place[2]} on`
}

const keyOf = (part: PropertyKey | { readonly key: PropertyKey }): PropertyKey =>
  typeof part === "object" ? part.key : part

/** The file and where what stands in it, to say what is wrong. */
export interface ParsedFile extends PipelinesFile {
  /** The error that tells these mistakes with their lines. */
  readonly invalid: (mistakes: ReadonlyArray<Mistake>) => PipelinesFileInvalid
}

/** Stages and pipelines that the engine has without the file; those of the file with the same names stand in their places. */
export interface BuiltIn {
  readonly stages: ReadonlyArray<StageOutline>
  readonly pipelines: ReadonlyArray<PipelineDeclaration>
}
const nothing: BuiltIn = { stages: [], pipelines: [] }

/** The pipelines of the file. */
export const declarationsOf = ({ pipelines = {} }: PipelinesFile): ReadonlyArray<PipelineDeclaration> =>
  Object.entries(pipelines).map(([name, steps]) => ({
    name,
    steps: steps.map((step) => (typeof step === "string" ? { stage: step } : step))
  }))

/** Those that have no namesake in the file. */
export const besides = <A extends { readonly name: string }>(all: ReadonlyArray<A>, declared: object = {}) =>
  all.filter(({ name }) => !Object.hasOwn(declared, name))

/** Mistakes of the decoded file, which its schema cannot see. */
const mistakesIn = (file: PipelinesFile, builtIn: BuiltIn): ReadonlyArray<Mistake> => {
  const { downstreams = {}, stages = {} } = file
  const others = besides(builtIn.stages, stages)
  const outlines = Object.entries(stages).map(([name, settings]): StageOutline => ({
    name: StageName.make(name),
    version: settings.version,
    kind: settings.type === "target" ? "document" : settings.kind,
    needs: settings.needs
  }))
  const declared = declarationsOf(file)
  return [
    ...stageMistakes(
      stages,
      downstreams,
      others.map(({ name }) => name)
    ).map(({ issue, path }) => ({ path: ["stages", ...path], message: issue })),
    ...declarationMistakes([...others, ...outlines], declared).flatMap(({ message, path }) => {
      const [first, index, ...rest] = path
      const name = first === "pipelines" ? declared[Number(index)]?.name : undefined
      return name === undefined
        ? []
        : [{ message, path: ["pipelines", name, ...rest.filter((part) => part !== "steps" && part !== "name")] }]
    })
  ]
}

/** Decodes the text of the file of this name. */
export const parsePipelines = (
  file: string,
  text: string,
  builtIn: BuiltIn = nothing
): Result.Result<ParsedFile, PipelinesFileInvalid> => {
  const refuse = (mistakes: ReadonlyArray<string>) =>
    new PipelinesFileInvalid({ file, mistakes: mistakes.slice(0, mostMistakes) })
  const parsed = Result.try((): unknown => JSON.parse(text))
  if (Result.isFailure(parsed)) return Result.fail(refuse([syntaxError(parsed.failure)]))
  const places = jsonPlaces(text)
  if (places.twice.length > 0) {
    return Result.fail(refuse(places.twice.map(({ line, path }) => `, line ${line}: ${path} is there twice`)))
  }
  const invalid = (mistakes: ReadonlyArray<Mistake>) =>
    refuse(
      mistakes.map(({ message, path }) => {
        const words = message.replaceAll(/\s+/g, " ")
        return `, line ${places.lineOf(path)}: ${path.map(String).join(".") || "the file"}: ${words}`
      })
    )
  const decoded = decode(parsed.success)
  if (Result.isFailure(decoded)) {
    const { issues } = issuesOf(decoded.failure.issue)
    return Result.fail(invalid(issues.map(({ message, path = [] }) => ({ message, path: path.map(keyOf) }))))
  }
  const mistakes = mistakesIn(decoded.success, builtIn)
  return mistakes.length > 0 ? Result.fail(invalid(mistakes)) : Result.succeed({ ...decoded.success, invalid })
}

const read = (file: string) =>
  Effect.try({
    try: () => readFileSync(file, "utf8"),
    catch: (cause) => {
      const code = cause instanceof Error && "code" in cause ? ` (${String(cause.code)})` : ""
      return new PipelinesFileInvalid({ file, mistakes: [` cannot be read${code}`] })
    }
  })

/** The file that `PIPELINES_FILE` names; empty when none is named. */
export const pipelinesFromEnv = Effect.fnUntraced(function* (builtIn: BuiltIn = nothing) {
  const file = yield* Config.NonEmptyString("PIPELINES_FILE").pipe(Config.withDefault(undefined))
  if (file === undefined) return {}
  return yield* Effect.fromResult(parsePipelines(file, yield* read(file), builtIn))
})

import { readFileSync } from "node:fs"
import { Config, Effect, Layer, Result, Schema, SchemaIssue } from "effect"
import { DownstreamsConfig } from "../../services/downstreams/DownstreamsConfig.ts"
import { DownstreamSettings, DownstreamsRecord } from "../../services/downstreams/DownstreamSettings.ts"
import { jsonPlaces } from "./JsonPlaces.ts"

/** What `PIPELINES_FILE` holds. */
export const PipelinesFile = Schema.Struct({
  $schema: Schema.optionalKey(Schema.String.annotate({ description: "For editors; not read." })),
  downstreams: Schema.optionalKey(
    DownstreamsRecord.annotate({ description: "What stages call outside of the engine, by name." })
  )
}).annotate({ title: "PIPELINES_FILE of Sluice" })
export interface PipelinesFile extends Schema.Schema.Type<typeof PipelinesFile> {}

/** Names that are not known are refused, which the schema says only so. */
const closed = (part: unknown): unknown => {
  if (Array.isArray(part)) return part.map(closed)
  if (typeof part !== "object" || part === null) return part
  const members = Object.fromEntries(Object.entries(part).map(([name, value]) => [name, closed(value)]))
  return "properties" in members ? { ...members, additionalProperties: false } : members
}

/** The JSON schema of the file, for editors: `docs/pipelines.schema.json`. */
export const pipelinesSchema = () => {
  // The keys are any text here: the schema of a record of branded keys would say nothing of its values.
  const downstreams = Schema.Record(Schema.String, DownstreamSettings)
  const { definitions, schema } = Schema.toJsonSchemaDocument(
    Schema.Struct({ ...PipelinesFile.fields, downstreams: Schema.optionalKey(downstreams) })
  )
  return closed({ $schema: "https://json-schema.org/draft/2020-12/schema", ...schema, $defs: definitions })
}

/** The file is not there, or says what cannot be: every mistake with its line and its path. No value is shown. */
export class PipelinesFileInvalid extends Schema.TaggedError<PipelinesFileInvalid>()("PipelinesFileInvalid", {
  file: Schema.String,
  mistakes: Schema.Array(Schema.String)
}) {
  override get message() {
    return `PIPELINES_FILE: ${this.mistakes.map((mistake) => `${this.file}${mistake}`).join("; ")}`
  }
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

/** Decodes the text of the file of this name. */
export const parsePipelines = (file: string, text: string): Result.Result<PipelinesFile, PipelinesFileInvalid> => {
  const invalid = (mistakes: ReadonlyArray<string>) =>
    Result.fail(new PipelinesFileInvalid({ file, mistakes: mistakes.slice(0, mostMistakes) }))
  const parsed = Result.try((): unknown => JSON.parse(text))
  if (Result.isFailure(parsed)) return invalid([syntaxError(parsed.failure)])
  const places = jsonPlaces(text)
  if (places.twice.length > 0) {
    return invalid(places.twice.map(({ line, path }) => `, line ${line}: ${path} is there twice`))
  }
  return Result.match(decode(parsed.success), {
    onSuccess: Result.succeed,
    onFailure: ({ issue }) =>
      invalid(
        issuesOf(issue).issues.map(({ message, path = [] }) => {
          const keys = path.map(keyOf)
          const text = message.replaceAll(/\s+/g, " ")
          return `, line ${places.lineOf(keys)}: ${keys.map(String).join(".") || "the file"}: ${text}`
        })
      )
  })
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
export const pipelinesFromEnv = Effect.gen(function* () {
  const file = yield* Config.NonEmptyString("PIPELINES_FILE").pipe(Config.withDefault(undefined))
  if (file === undefined) return {}
  return yield* Effect.fromResult(parsePipelines(file, yield* read(file)))
})

/** The downstreams that `PIPELINES_FILE` declares. */
export const layerFromEnv = Layer.effect(
  DownstreamsConfig,
  Effect.map(pipelinesFromEnv, ({ downstreams }: PipelinesFile) => downstreams ?? {})
)

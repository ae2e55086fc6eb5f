import { Schema } from "effect"
import { DownstreamSettings } from "../../services/downstreams/DownstreamSettings.ts"
import { StageSettings } from "../../services/pipelines/settings/StageSettings.ts"
import { PipelinesFile, Step } from "./PipelinesFile.ts"

/** Names that are not known are refused, which the schema says only so. */
const closed = (part: unknown): unknown => {
  if (Array.isArray(part)) return part.map(closed)
  if (typeof part !== "object" || part === null) return part
  const members = Object.fromEntries(Object.entries(part).map(([name, value]) => [name, closed(value)]))
  return "properties" in members ? { ...members, additionalProperties: false } : members
}

/** The keys are any text here: the schema of a record of branded keys would say nothing of its values. */
const byName = <S extends Schema.Top>(values: S, description: string) =>
  Schema.optionalKey(Schema.Record(Schema.String, values).annotate({ description }))

/** The JSON schema of `PIPELINES_FILE`, for editors: `docs/pipelines.schema.json`. */
export const pipelinesSchema = () => {
  const { definitions, schema } = Schema.toJsonSchemaDocument(
    Schema.Struct({
      $schema: PipelinesFile.fields.$schema,
      downstreams: byName(DownstreamSettings, "What stages call outside of the engine, by name."),
      stages: byName(StageSettings, "Steps of work, by name."),
      pipelines: byName(Schema.Array(Step), "The stages that documents go through, by the pipeline's name.")
    })
  )
  return closed({ $schema: "https://json-schema.org/draft/2020-12/schema", ...schema, $defs: definitions })
}

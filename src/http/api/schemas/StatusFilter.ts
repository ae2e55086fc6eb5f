import { Array as Arr, Schema, SchemaTransformation } from "effect"
import { DocumentStatus } from "../../../domain/document/Document.ts"

/** Document states in a query: separated by commas, as a repeated parameter, or both. Order and repetition do not matter. */
export const StatusFilter = Schema.Array(Schema.String).pipe(
  Schema.decodeTo(
    Schema.Array(Schema.String),
    SchemaTransformation.transform({
      decode: (texts: ReadonlyArray<string>): ReadonlyArray<string> =>
        Arr.dedupe(texts.flatMap((text) => text.split(","))),
      encode: (states: ReadonlyArray<string>): ReadonlyArray<string> => [states.join(",")]
    })
  ),
  Schema.decodeTo(Schema.Array(DocumentStatus), SchemaTransformation.passthroughSupertype())
)

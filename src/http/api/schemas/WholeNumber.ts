import { Schema, SchemaTransformation } from "effect"

/**
 * A whole number as text: in a URL, a header or a field of a form. Digits only: `1e2`, `+5`, `05` and ` 5` are refused, although
 * JavaScript reads them as numbers. The schema is that of the number.
 */
export const wholeNumber = <S extends Schema.Codec<number>>(schema: S) =>
  Schema.String.check(
    Schema.isPattern(/^(?:0|[1-9]\d*)$/, { message: "Expected a whole number, written with digits only, such as 12" })
  ).pipe(Schema.decodeTo(schema, SchemaTransformation.numberFromString))

import { type Schema, SchemaIssue } from "effect"
import { BadRequest } from "./Problems.ts"

const format = SchemaIssue.makeFormatterStandardSchemaV1()

/** Tells which values of one part of the request (`query`, `headers`, ...) were refused and why, but never the values. */
export const invalidRequest = (part: string, error: Schema.SchemaError): BadRequest => {
  const errors = format(error.issue).issues.map((issue) => ({
    field: [
      part,
      ...(issue.path ?? []).map((segment) => String(typeof segment === "object" ? segment.key : segment))
    ].join("."),
    message: issue.message
  }))
  return new BadRequest({
    code: "INVALID_REQUEST",
    detail: errors.map(({ field, message }) => `${field}: ${message}`).join("; "),
    errors
  })
}

import { type Schema, SchemaAST, SchemaIssue } from "effect"
import { invalidTenant } from "../../auth/CurrentTenant.ts"
import { nearest } from "../../rules/Nearest.ts"
import { BadRequest } from "./Problems.ts"
import { passwordInUrl } from "../schemas/SubmitOptions.ts"

/** The parts of a request: the names that schemas use, and the names that OpenAPI and people use. */
const places = { params: "path", query: "query", headers: "header", payload: "body", form: "form" } as const

export type RequestPart = keyof typeof places

/** One error in a request. It never contains the value, which may be a secret. */
export interface RequestError {
  /** The part and the name, such as `query.limit`. */
  readonly field: string
  readonly in: (typeof places)[RequestPart]
  /** The parameter, header or field; inside a body its path, such as `pdf_ids.3`. Empty for the whole part. */
  readonly name: string
  readonly message: string
}

/** The answer lists at most so many errors and counts the others. */
const mostErrors = 20

/** The most characters that are shown of a name which a caller chose. */
const longestName = 64

const shortened = (name: string) => (name.length > longestName ? `${name.slice(0, longestName)}…` : name)

export const requestError = (part: RequestPart, name: string, message: string): RequestError => {
  const short = shortened(name)
  return { field: short === "" ? part : `${part}.${short}`, in: places[part], name: short, message }
}

const namesOf = (ast: SchemaAST.AST): ReadonlyArray<string> =>
  SchemaAST.isObjects(ast) ? ast.propertySignatures.map(({ name }) => String(name)).toSorted() : []

const unknownName = (name: string, known: ReadonlyArray<string>): string => {
  const meant = nearest(name, known)
  const guess = meant === undefined ? "Unknown" : `Unknown; did you mean ${meant}?`
  return known.length === 0 ? guess : `${guess}${meant === undefined ? ";" : ""} known are ${known.join(", ")}`
}

/** All errors of a schema in one part of the request. `sent` is the part as sent, to report a name that occurs twice as such. */
export const errorsOf = (
  part: RequestPart,
  error: Schema.SchemaError,
  sent?: Readonly<Record<string, unknown>>
): ReadonlyArray<RequestError> => {
  const knownBy = new Map<string, ReadonlyArray<string>>()
  const format = SchemaIssue.makeFormatterStandardSchemaV1({
    leafHook: (issue) => {
      const message = SchemaIssue.defaultLeafHook(issue)
      if (issue._tag !== "UnexpectedKey") return message
      const known = namesOf(issue.ast)
      const marked = `${message}: ${known.join()}`
      knownBy.set(marked, known)
      return marked
    }
  })
  const isRepeated = (name: string) => part !== "payload" && sent !== undefined && Array.isArray(sent[name])
  return format(error.issue).issues.map(({ message, path = [] }) => {
    const keys = path.map((segment) => String(typeof segment === "object" ? segment.key : segment))
    const known = knownBy.get(message)
    if (known !== undefined) return requestError(part, keys.join("."), unknownName(keys.at(-1) ?? "", known))
    const [name = ""] = keys
    const repeated = keys.length === 1 && isRepeated(name)
    // A parameter has no parts: of a list in the query, the error is that of the whole.
    const place = part === "payload" ? keys.join(".") : name
    return requestError(part, place, repeated ? "Expected once; it is there several times" : message)
  })
}

const tenantFields: ReadonlySet<string> = new Set([
  "headers.x-tenant-id",
  "query.tenant_id",
  "payload.tenant_id",
  "form.tenant_id"
])

/** The refusal of a request for all its errors. Some errors have a code of their own. */
export const refuseFor = (errors: ReadonlyArray<RequestError>): BadRequest => {
  const listed = errors.slice(0, mostErrors)
  if (errors.some(({ field }) => field === "query.password"))
    return new BadRequest({ ...passwordInUrl, errors: listed })
  if (errors.every(({ field }) => tenantFields.has(field))) return new BadRequest({ ...invalidTenant, errors: listed })
  const more = errors.length - listed.length
  return new BadRequest({
    code: "INVALID_REQUEST",
    detail:
      listed.map(({ field, message }) => `${field}: ${message}`).join("; ") + (more > 0 ? `; and ${more} more` : ""),
    errors: listed
  })
}

/** Reports which fields of one part of the request were refused and why, but never their values. */
export const invalidRequest = (
  part: RequestPart,
  error: Schema.SchemaError,
  sent?: Readonly<Record<string, unknown>>
): BadRequest => refuseFor(errorsOf(part, error, sent))

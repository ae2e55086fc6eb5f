import { Effect, Result, Schema } from "effect"
import { TenantName } from "../auth/CurrentTenant.ts"
import { errorsOf, refuseFor, requestError } from "../api/problems/InvalidRequest.ts"
import { PdfPassword, submissionParameters } from "../api/schemas/SubmitOptions.ts"

/** The fields of an upload's form; they apply to all its files. */
const FormFields = Schema.Struct({
  ...submissionParameters,
  password: Schema.optionalKey(PdfPassword),
  tenant_id: Schema.optionalKey(TenantName)
})
export type FormFields = typeof FormFields.Type

const decode = Schema.decodeUnknownResult(Schema.toCodecStringTree(FormFields), {
  errors: "all",
  onExcessProperty: "error"
})

/** The most fields of one form, known or not. If there are more, some are certainly unknown or duplicates. */
export const mostFields = 50

/** The fields of one form as they arrive. */
export const makeFields = () => {
  const fields = new Map<string, string | Array<string>>()
  let count = 0
  return {
    /** Adds a field; returns false when no more may follow. */
    add: (name: string, value: string): boolean => {
      const before = fields.get(name)
      fields.set(name, before === undefined ? value : [before, value].flat())
      count++
      return count < mostFields
    },
    /** The decoded fields, or all their errors. */
    read: Effect.suspend(() => {
      const sent = Object.fromEntries(fields)
      const decoded = decode(sent)
      const errors = Result.isFailure(decoded) ? [...errorsOf("form", decoded.failure, sent)] : []
      // U+FFFD stands for invalid bytes: a password with it would be a different one.
      for (const [name, value] of fields) {
        if (value.includes("\uFFFD")) errors.push(requestError("form", name, "Expected UTF-8"))
      }
      return Result.isSuccess(decoded) && errors.length === 0
        ? Effect.succeed(decoded.success)
        : Effect.fail(refuseFor(errors))
    })
  }
}

import { Effect, Result, Schema } from "effect"
import { TenantName } from "../auth/CurrentTenant.ts"
import { errorsOf, refuseFor, requestError } from "../api/problems/InvalidRequest.ts"
import { PdfPassword, submissionParameters } from "../api/schemas/SubmitOptions.ts"

/** What the fields of an upload's form may say; they hold for all its files. */
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

/** Fields of one form, known or not. With more of them some are certainly unknown or there twice. */
export const mostFields = 50

/** The fields of one form as they arrive. */
export const makeFields = () => {
  const fields = new Map<string, string | Array<string>>()
  let count = 0
  return {
    /** Tells whether there is room for more. */
    add: (name: string, value: string): boolean => {
      const before = fields.get(name)
      fields.set(name, before === undefined ? value : [before, value].flat())
      count++
      return count < mostFields
    },
    /** What they say, or all that is wrong with them. */
    read: Effect.suspend(() => {
      const sent = Object.fromEntries(fields)
      const decoded = decode(sent)
      const errors = Result.isFailure(decoded) ? [...errorsOf("form", decoded.failure, sent)] : []
      // What a decoder puts in place of bytes that are none: a password with it would be another one.
      for (const [name, value] of fields) {
        if (value.includes("\uFFFD")) errors.push(requestError("form", name, "Expected UTF-8"))
      }
      return Result.isSuccess(decoded) && errors.length === 0
        ? Effect.succeed(decoded.success)
        : Effect.fail(refuseFor(errors))
    })
  }
}

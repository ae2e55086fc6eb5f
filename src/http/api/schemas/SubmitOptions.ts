import { Result, Schema } from "effect"
import { Priority } from "../../../domain/document/Document.ts"
import { examples } from "../../../domain/Examples.ts"
import { parseHttpUrl } from "../../../domain/net/HttpUrl.ts"
import { PipelineName } from "../../../domain/pipeline/Pipeline.ts"
import { Timestamp } from "./Timestamp.ts"
import { wholeNumber } from "./WholeNumber.ts"

/** The options that a caller may set for the documents of one submission. */

/** `callbackAllowed` decides whether the host may be reached. */
export const CallbackUrl = Schema.String.check(
  Schema.isMaxLength(2048),
  Schema.makeFilter((text: string) => Result.match(parseHttpUrl(text), { onFailure: String, onSuccess: () => true }))
).annotate({
  description:
    "An http(s) URL to which the terminal state is announced. Its host must be public, or allowed by the operator.",
  examples: ["https://example.com/sluice"]
})

const PasswordText = Schema.String.check(Schema.isMaxLength(1024))

export const PdfPassword = Schema.RedactedFromValue(PasswordText, { label: "password" })

/** ASCII only: other characters arrive mangled in a header. */
export const passwordHeader = Schema.optionalKey(
  Schema.RedactedFromValue(
    PasswordText.check(
      Schema.isPattern(/^[\x20-\x7e]*$/, {
        message:
          "has other characters than ASCII; send such a password in the body: as the multipart field password before the files, " +
          "or as JSON when a document is read again"
      })
    ),
    { label: "password" }
  ).annotate({ description: "Opens the documents. ASCII only." })
)

const priority = Priority.annotate({
  description: "0 (last) to 9 (first) within the tenant; default 5.",
  examples: [7]
})

/** As members of JSON. */
export const submissionFields = {
  priority: Schema.optionalKey(priority),
  notBefore: Schema.optionalKey(
    Timestamp.annotate({
      description:
        "The documents wait until then: RFC 3339, or its beginning. Without an offset it is UTC, and a date alone means its first moment."
    }).pipe(examples("2030-01-01T22:00:00Z"))
  ),
  callback: Schema.optionalKey(CallbackUrl),
  pipeline: Schema.optionalKey(
    PipelineName.annotate({
      description: "The stages that the documents go through: one of `GET /v1/pipelines`; its `default` when absent."
    })
  ),
  force: Schema.optionalKey(
    Schema.Boolean.annotate({ description: "`true` makes new documents even of bytes that the tenant has already." })
  )
}

/** As parameters of a query or fields of a form: all are text. */
export const submissionParameters = { ...submissionFields, priority: Schema.optionalKey(wholeNumber(priority)) }

export const SubmissionParameters = Schema.Struct(submissionParameters)
export type SubmissionParameters = typeof SubmissionParameters.Type

/** The answer to a request with a password in its URL. */
export const passwordInUrl = {
  code: "PASSWORD_IN_URL",
  detail: "a password must not be part of a URL, where logs and proxies keep it",
  advice: "Send it in the header X-Pdf-Password, or as the multipart field password before the files."
} as const

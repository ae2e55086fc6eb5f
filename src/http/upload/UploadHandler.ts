import { Effect, Option, Schema } from "effect"
import { type HttpServerRequest, HttpServerResponse } from "effect/http"
import { Ingestion } from "../../actors/Ingestion.ts"
import { pdfMediaTypes, UploadAnswer } from "../api/Documents.ts"
import { LoadShedding } from "../edge/LoadShedding.ts"
import { keyedSession, plainSession, type UploadSettings } from "./SubmitItems.ts"
import { UnsupportedMediaType } from "../api/problems/Problems.ts"
import { refuseAll } from "./Rejection.ts"
import { bodyProblem } from "./RequestBody.ts"
import { uploadForm, uploadRaw } from "./UploadItems.ts"

/** The decoded head of an upload. */
export interface UploadHead {
  /** The file's name when the body is one PDF. */
  readonly name: string
  readonly settings: UploadSettings
  readonly idempotencyKey: string | undefined
}

/** Handles an upload whose head was decoded. */
export const makeUploadHandler = Effect.gen(function* () {
  const ingestion = yield* Ingestion
  const shedding = yield* LoadShedding
  return Effect.fnUntraced(function* (
    request: HttpServerRequest.HttpServerRequest,
    { idempotencyKey, name, settings }: UploadHead
  ) {
    const reader = yield* readerFor(request)
    const session = idempotencyKey === undefined ? plainSession(ingestion) : keyedSession(ingestion, idempotencyKey)
    const { items, tenant, truncated } = yield* (
      reader === "form"
        ? uploadForm(ingestion, session, request, settings)
        : uploadRaw(session, request, name, settings)
    ).pipe(
      Effect.catchTag(["UploadStalled", "HttpServerError", "MultipartError"], (error) =>
        Effect.fail(bodyProblem(error))
      )
    )
    const documents = items.map(({ outcome }) => outcome)
    const rest = truncated ? { truncated } : {}
    const rejection = items.every((item) => item.rejection !== undefined) ? items[0]?.rejection : undefined
    if (rejection?.status === 429) yield* shedding.refused(request, tenant, rejection.error)
    if (rejection !== undefined) return yield* refuseAll(rejection, documents, rest)
    yield* shedding.accepted(request)
    return accepted(yield* session.close({ documents, ...rest }))
  })
})

const encodeAnswer = Schema.encodeSync(UploadAnswer)

/** An answer with accepted documents only is already in its encoded form, so encoding by schema is skipped. Errors need it. */
const accepted = (answer: typeof UploadAnswer.Type) => {
  const isPlain = answer.documents.every((outcome) => !("error" in outcome))
  const text = JSON.stringify(isPlain ? answer : encodeAnswer(answer))
  return HttpServerResponse.text(text, { status: 202, contentType: "application/json" })
}

const readerFor = (request: HttpServerRequest.HttpServerRequest) => {
  const mediaType = request.headers["content-type"]?.split(";", 1)[0]?.trim().toLowerCase()
  if (mediaType === "multipart/form-data") return Effect.succeed("form")
  if (pdfMediaTypes.some((type) => type === mediaType)) return Effect.succeed("raw")
  return Effect.fail(
    new UnsupportedMediaType({
      code: "UNSUPPORTED_MEDIA_TYPE",
      detail: "the body is neither a PDF nor a multipart form",
      advice: `Send ${pdfMediaTypes.join(", ")} or multipart/form-data.`
    })
  )
}

const decodePercent = Schema.decodeUnknownOption(Schema.StringFromUriComponent)

/** A name that is not valid percent-encoding is used as it is, such as `100%.pdf`. */
export const fileName = (header: string | undefined): string =>
  header === undefined || header === "" ? "document.pdf" : Option.getOrElse(decodePercent(header), () => header)

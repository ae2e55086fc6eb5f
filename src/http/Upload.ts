import { Effect, type Redacted, Schema, Stream } from "effect"
import type { HttpServerRequest, Multipart } from "effect/http"
import type { Ingestion, SubmitOptions } from "../actors/Ingestion.ts"
import type { DocumentId, TenantId } from "../domain/Ids.ts"
import { type CurrentTenant, tenantWithBody } from "./CurrentTenant.ts"
import { invalidRequest } from "./InvalidRequest.ts"
import { BadRequest, UnprocessableContent } from "./Problems.ts"
import { acceptedItem, failedItem, type Item, refusedItem } from "./Refusal.ts"
import { type BodyError, bodyOf, drain, partsOf } from "./RequestBody.ts"
import { PdfPassword, submissionParameters, type SubmissionParameters } from "./Submission.ts"

/** What the head of the request says; fields of a form come first. */
export interface UploadSettings extends SubmissionParameters {
  readonly password?: Redacted.Redacted
}

export interface Uploaded {
  readonly tenant: TenantId
  readonly items: ReadonlyArray<Item>
  /** Reading stopped before the end of the form. */
  readonly truncated: boolean
}

const submitOne = <E>(
  ingestion: Ingestion["Service"],
  tenant: TenantId,
  bytes: Stream.Stream<Uint8Array, E>,
  options: SubmitOptions
) =>
  Effect.matchEffect(
    ingestion.submit(
      tenant,
      Stream.mapError(bytes, (cause) => new BodyFailed(cause)),
      options
    ),
    {
      onSuccess: (document) => Effect.succeed({ id: document.id, ...acceptedItem(document) }),
      onFailure: (error) => (error instanceof BodyFailed ? Effect.fail(error.cause) : failedItem(options.name, error))
    }
  )

/** Keeps the errors of a body apart from those of the engine. */
class BodyFailed<E> {
  readonly cause: E
  constructor(cause: E) {
    this.cause = cause
  }
}

/** The body is one PDF. */
export const uploadRaw = Effect.fnUntraced(function* (
  ingestion: Ingestion["Service"],
  request: HttpServerRequest.HttpServerRequest,
  name: string,
  settings: UploadSettings
) {
  const tenant = yield* tenantWithBody(undefined)
  const item: Item = yield* submitOne(ingestion, tenant, bodyOf(request), { name, ...settings })
  const uploaded: Uploaded = { tenant, items: [item], truncated: false }
  return uploaded
})

const FormFields = Schema.Struct({
  ...submissionParameters,
  password: Schema.optionalKey(PdfPassword),
  tenant_id: Schema.optionalKey(Schema.String)
})
const decodeFormFields = Schema.decodeUnknownEffect(Schema.toCodecStringTree(FormFields))
const isFormField = (key: string) => Object.hasOwn(FormFields.fields, key)

/**
 * How much of refused files is read on to get at the files behind them, in bytes per request: plenty after a file that is
 * at fault itself, little when the engine takes nothing just now.
 */
const patience = 64 * 1024 * 1024
const littlePatience = 1024 * 1024

/**
 * The body is a form of any number of files, submitted one after the other while they arrive. If it fails or is
 * interrupted, the documents accepted so far are removed: the caller has not learned of them, and will send them again.
 */
export const uploadForm = Effect.fnUntraced(function* (
  ingestion: Ingestion["Service"],
  request: HttpServerRequest.HttpServerRequest,
  head: UploadSettings
) {
  const fields = new Map<string, string>()
  const items: Array<Item> = []
  const accepted: Array<DocumentId> = []
  let tenant = yield* tenantWithBody(undefined)
  let settings: UploadSettings | undefined
  let allowance = patience
  let truncated = false

  const readSettings = Effect.fnUntraced(function* () {
    const { tenant_id, ...form } = yield* Effect.mapError(decodeFormFields(Object.fromEntries(fields)), (error) =>
      invalidRequest("form", error)
    )
    tenant = yield* tenantWithBody(tenant_id)
    return (settings = { ...head, ...form })
  })

  /** Reads on to the end of the file, and tells whether the next part may be read. */
  const skipRest = Effect.fnUntraced(function* (file: Multipart.File) {
    allowance = yield* drain(file.content, allowance)
    truncated = allowance === 0
    return !truncated
  })

  const onFile = Effect.fnUntraced(function* (file: Multipart.File) {
    // What browsers send for a file input without a choice.
    if (file.name === "") return yield* skipRest(file)
    if (file.key !== "file") {
      items.push(refusedItem(file.name, unknownPart))
      return yield* skipRest(file)
    }
    const options = { name: file.name, ...(settings ?? (yield* readSettings())) }
    const item: Item & { readonly id?: DocumentId } = yield* submitOne(ingestion, tenant, file.content, options)
    items.push(item)
    if (item.id !== undefined) accepted.push(item.id)
    if (item.refusal !== undefined && item.refusal.status >= 429) allowance = Math.min(allowance, littlePatience)
    return item.refusal === undefined || (yield* skipRest(file))
  })

  const onField = (field: Multipart.Field) => {
    if (!isFormField(field.key)) return Effect.succeed(true)
    if (settings !== undefined) return Effect.fail(fieldAfterFile(field.key))
    fields.set(field.key, field.value)
    return Effect.succeed(true)
  }

  const onPart = (part: Multipart.Part): Effect.Effect<boolean, BodyError | BadRequest, CurrentTenant> =>
    part._tag === "Field" ? onField(part) : onFile(part)

  const forget = Effect.suspend(() =>
    Effect.forEach(accepted, (id) => Effect.ignore(ingestion.remove(tenant, id), { log: "Warn" }), { discard: true })
  )

  yield* Stream.runForEachWhile(partsOf(request), onPart).pipe(Effect.onError(() => forget))
  if (items.length === 0) {
    return yield* new UnprocessableContent({
      code: "NO_FILE",
      detail: "the form has no file",
      advice: "Send each PDF as a part named file, with a file name."
    })
  }
  const uploaded: Uploaded = { tenant, items, truncated }
  return uploaded
})

const unknownPart = {
  status: 422,
  error: {
    code: "UNKNOWN_PART",
    message: "the part is not named file",
    advice: "Send each PDF as a part named file."
  }
} as const

const fieldAfterFile = (field: string) =>
  new BadRequest({
    code: "FIELD_AFTER_FILE",
    detail: `the field ${field} came after a file, which it could no longer apply to; nothing of the request was kept`,
    advice: "Send the fields before the files."
  })

import { Effect, type Scope, Stream } from "effect"
import type { HttpServerRequest, Multipart } from "effect/http"
import type { Ingestion } from "../../actors/Ingestion.ts"
import type { DocumentId, TenantId } from "../../domain/Ids.ts"
import { callbackAllowed } from "./CallbackTarget.ts"
import { type CurrentTenant, tenantWithBody } from "../auth/CurrentTenant.ts"
import type { TakenItem, UploadSession, UploadSettings } from "./SubmitItems.ts"
import {
  BadRequest,
  type Conflict,
  type Forbidden,
  type ServiceUnavailable,
  UnprocessableContent
} from "../api/problems/Problems.ts"
import { type Item, refusedItem } from "./Rejection.ts"
import { type BodyError, bodyOf, drain, lengthOf, partsOf } from "./RequestBody.ts"
import { makeFields } from "./FormFields.ts"

export interface Uploaded {
  readonly tenant: TenantId
  readonly items: ReadonlyArray<Item>
  /** Reading stopped before the end of the form. */
  readonly truncated: boolean
}

/** The body is one PDF. */
export const uploadRaw = Effect.fnUntraced(function* (
  session: UploadSession,
  request: HttpServerRequest.HttpServerRequest,
  name: string,
  settings: UploadSettings
) {
  const tenant = yield* tenantWithBody(undefined)
  yield* session.open(tenant, settings)
  const item: Item = yield* session.take(name, bodyOf(request), lengthOf(request))
  const uploaded: Uploaded = { tenant, items: [item], truncated: false }
  return uploaded
})

/**
 * How many bytes of refused files are read and discarded per request, to reach the files behind them: many when a file itself is
 * invalid, few when the engine accepts nothing at the moment.
 */
const skipAllowance = 64 * 1024 * 1024
const smallSkipAllowance = 1024 * 1024

/** New documents of a form, each with the number of further files of the form that are duplicates of it. */
class MadeDocuments {
  readonly #duplicates = new Map<DocumentId, number>()

  add({ made, outcome }: TakenItem): void {
    const original = "id" in outcome ? outcome.duplicateOf : undefined
    const duplicates = original === undefined ? undefined : this.#duplicates.get(original)
    if (made !== undefined) this.#duplicates.set(made, 0)
    else if (original !== undefined && duplicates !== undefined) this.#duplicates.set(original, duplicates + 1)
  }

  withdraw(ingestion: Ingestion["Service"], tenant: TenantId): Effect.Effect<void> {
    return Effect.forEach(
      this.#duplicates,
      ([id, duplicates]) => Effect.ignore(ingestion.withdraw(tenant, id, duplicates), { log: "Warn" }),
      { discard: true }
    )
  }
}

/**
 * The body is a form of any number of files, submitted one after the other while they arrive. If it fails or is
 * interrupted, the documents made so far are withdrawn: the caller does not know of them and will send the files again.
 */
export const uploadForm = Effect.fnUntraced(function* (
  ingestion: Ingestion["Service"],
  session: UploadSession,
  request: HttpServerRequest.HttpServerRequest,
  head: UploadSettings
) {
  const fields = makeFields()
  const items: Array<Item> = []
  const made = new MadeDocuments()
  let tenant = yield* tenantWithBody(undefined)
  let settings: UploadSettings | undefined
  let allowance = skipAllowance
  let truncated = false

  const readSettings = Effect.fnUntraced(function* () {
    const { tenant_id, ...form } = yield* fields.read
    yield* callbackAllowed("form", "callback", form.callback)
    tenant = yield* tenantWithBody(tenant_id)
    settings = { ...head, ...form }
    yield* session.open(tenant, settings)
  })

  /** Discards the rest of the file, and returns whether the next part may be read. */
  const skipRest = Effect.fnUntraced(function* (file: Multipart.File) {
    allowance = yield* drain(file.content, allowance)
    truncated = allowance === 0
    return !truncated
  })

  const onFile = Effect.fnUntraced(function* (file: Multipart.File) {
    if (file.name === "") return yield* skipRest(file)
    if (file.key !== "file") {
      items.push(refusedItem(file.name, unknownPart))
      return yield* skipRest(file)
    }
    if (settings === undefined) yield* readSettings()
    // Nothing may come between the commit of a document and its record here, or it would not be withdrawn.
    const item = yield* Effect.uninterruptibleMask((restore) =>
      Effect.tap(session.take(file.name, readWith(restore, file.content)), (taken) =>
        Effect.sync(() => {
          items.push(taken)
          made.add(taken)
        })
      )
    )
    if (item.rejection !== undefined && item.rejection.status >= 429)
      allowance = Math.min(allowance, smallSkipAllowance)
    return item.rejection === undefined || (yield* skipRest(file))
  })

  const onField = (field: Multipart.Field) => {
    if (field.key === "file") {
      // Browsers send an empty part without a name when no file is chosen.
      if (field.value !== "") items.push(refusedItem("file", namelessFile))
      return Effect.succeed(true)
    }
    if (settings !== undefined) return Effect.fail(fieldAfterFile(field.key))
    return fields.add(field.key, field.value) ? Effect.succeed(true) : Effect.as(fields.read, false)
  }

  const onPart = (
    part: Multipart.Part
  ): Effect.Effect<
    boolean,
    BodyError | BadRequest | Conflict | Forbidden | ServiceUnavailable,
    CurrentTenant | Scope.Scope
  > => (part._tag === "Field" ? onField(part) : onFile(part))

  yield* Stream.runForEachWhile(partsOf(request), onPart).pipe(Effect.onError(() => made.withdraw(ingestion, tenant)))
  if (settings === undefined) yield* fields.read
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

/** The stream can be interrupted while it is read, wherever that is. */
const readWith = <A, E, R>(
  restore: <B, E2, R2>(effect: Effect.Effect<B, E2, R2>) => Effect.Effect<B, E2, R2>,
  bytes: Stream.Stream<A, E, R>
): Stream.Stream<A, E, R> => Stream.transformPull(bytes, (pull) => Effect.succeed(restore(pull)))

const unknownPart = {
  status: 422,
  error: {
    code: "UNKNOWN_PART",
    message: "the part is not named file",
    advice: "Send each PDF as a part named file."
  }
} as const

const namelessFile = {
  status: 422,
  error: {
    code: "NO_FILE",
    message: "the part named file has no file name, so it is a field and no file",
    advice: "Send each PDF as a part named file, with a file name."
  }
} as const

const fieldAfterFile = (field: string) =>
  new BadRequest({
    code: "FIELD_AFTER_FILE",
    detail: `the field ${field.slice(0, 64)} came after a file, which it could no longer apply to; nothing of the request was kept`,
    advice: "Send the fields before the files."
  })

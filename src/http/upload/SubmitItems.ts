import { createHash } from "node:crypto"
import { DateTime, Effect, Redacted, Schema, type Scope, Stream } from "effect"
import type { Ingestion, SubmitOptions } from "../../actors/Ingestion.ts"
import type { DocumentId, TenantId } from "../../domain/Ids.ts"
import type { KeptAnswer } from "../../services/store/IdempotencyStore.ts"
import { UploadAnswer } from "../api/Documents.ts"
import { keep, mismatch, replay, reserve } from "./IdempotentAnswer.ts"
import type { Conflict, ServiceUnavailable } from "../api/problems/Problems.ts"
import { acceptedItem, failedItem, type Item } from "./Rejection.ts"
import { type BodyError, isBodyError } from "./RequestBody.ts"
import type { SubmissionParameters } from "../api/schemas/SubmitOptions.ts"

/** The settings from the head of the request; fields of a form override them. */
export interface UploadSettings extends SubmissionParameters {
  readonly password?: Redacted.Redacted
}

/** The result for one file. `made` is the document that this file created; only such a document may be withdrawn with it. */
export interface TakenItem extends Item {
  readonly made?: DocumentId | undefined
}

/** Processes the files of one request, one after the other. */
export interface UploadSession {
  /** Called once, before the first file. */
  readonly open: (
    tenant: TenantId,
    settings: UploadSettings
  ) => Effect.Effect<void, Conflict | ServiceUnavailable, Scope.Scope>
  readonly take: (
    name: string,
    bytes: Body,
    /** The number of bytes, if it is known. */
    size?: number
  ) => Effect.Effect<TakenItem, BodyError | Conflict>
  /** Called with the answer if at least one file was accepted; returns the answer to send. */
  readonly close: (answer: typeof UploadAnswer.Type) => Effect.Effect<typeof UploadAnswer.Type, Conflict>
}

type Engine = Ingestion["Service"]
type Body = Stream.Stream<Uint8Array, BodyError>
interface Opened {
  readonly tenant: TenantId
  readonly settings: UploadSettings
}

const submitOne = (ingestion: Engine, tenant: TenantId, bytes: Body, options: SubmitOptions) =>
  Effect.matchEffect(ingestion.submit(tenant, bytes, options), {
    onSuccess: (document) =>
      Effect.succeed({
        document,
        item: { made: document.duplicateOf ? undefined : document.id, ...acceptedItem(document) }
      }),
    onFailure: (error) =>
      isBodyError(error)
        ? Effect.fail(error)
        : Effect.map(failedItem(options.name, error), (item) => ({ document: undefined, item }))
  })

/** Submits each file. */
export const plainSession = (ingestion: Engine): UploadSession => {
  let opened: Opened | undefined
  return {
    open: (tenant, settings) =>
      Effect.sync(() => {
        opened = { tenant, settings }
      }),
    take: (name, bytes, size) =>
      opened === undefined
        ? Effect.die("a file was taken before its settings were known")
        : Effect.map(
            submitOne(ingestion, opened.tenant, bytes, { name, size, ...opened.settings }),
            ({ item }) => item
          ),
    close: Effect.succeed
  }
}

const AnswerText = Schema.fromJsonString(UploadAnswer)
const encodeAnswer = Schema.encodeEffect(AnswerText)
const decodeAnswer = Schema.decodeEffect(AnswerText)

/** The name of a file and the hash of its bytes; null for a refused file, because it may not have been read to its end. */
type FileHash = readonly [name: string, hash: string | null]

/** Identifies an upload: its settings and files. Contains the password. */
const requestOf = ({ password, ...settings }: UploadSettings, files: ReadonlyArray<FileHash>) => {
  const { callback, force, notBefore, pipeline, priority } = settings
  const time = notBefore && DateTime.formatIso(notBefore)
  const secret = password && Redacted.value(password)
  return Redacted.make(
    JSON.stringify(["POST /v1/documents", { callback, force, notBefore: time, pipeline, priority, secret }, files])
  )
}

/**
 * Takes files under an idempotency key. Submits each file and keeps the answer. If an answer is already kept, it only hashes the
 * files that were accepted at that time, to check that the request is the same.
 */
export const keyedSession = (ingestion: Engine, key: string): UploadSession => {
  const files: Array<FileHash> = []
  let bytesSeen = 0
  let opened: Opened | undefined
  let first: { readonly kept: KeptAnswer; readonly answer: typeof UploadAnswer.Type } | undefined

  const hashOnly = (name: string, bytes: Body, limit: number) =>
    Effect.gen(function* () {
      const digest = createHash("sha256")
      yield* Stream.runForEach(bytes, (chunk) => {
        digest.update(chunk)
        bytesSeen += chunk.length
        return bytesSeen > limit ? Effect.fail(mismatch) : Effect.void
      })
      files.push([name, digest.digest("hex")])
    })

  const take = (name: string, bytes: Body, size?: number): Effect.Effect<TakenItem, BodyError | Conflict> =>
    Effect.gen(function* () {
      if (opened === undefined) return yield* Effect.die("a file was taken before its settings were known")
      if (first === undefined) {
        const { document, item } = yield* submitOne(ingestion, opened.tenant, bytes, { name, size, ...opened.settings })
        files.push([name, document?.blob ?? null])
        bytesSeen += document?.size ?? 0
        return item
      }
      const before = first.answer.documents[files.length]
      if (before === undefined) return yield* mismatch
      if ("error" in before) files.push([name, null])
      else yield* hashOnly(name, bytes, first.kept.bytes)
      // With a refusal, the caller skips the rest of the unread file and continues with the next one.
      return "error" in before
        ? { outcome: before, refusal: { status: 422, error: before.error } }
        : { outcome: before }
    })

  return {
    open: Effect.fnUntraced(function* (tenant, settings) {
      opened = { tenant, settings }
      const kept = yield* reserve(ingestion, tenant, key)
      if (kept !== undefined) first = { kept, answer: yield* Effect.orDie(decodeAnswer(kept.body)) }
    }),
    take,
    close: Effect.fnUntraced(function* (answer) {
      if (opened === undefined) return answer
      const request = requestOf(opened.settings, files)
      if (first !== undefined) return yield* replay(ingestion, opened.tenant, first.kept, request, decodeAnswer)
      yield* keep(ingestion, opened.tenant, key, request, {
        body: yield* Effect.orDie(encodeAnswer(answer)),
        bytes: bytesSeen
      })
      return answer
    })
  }
}

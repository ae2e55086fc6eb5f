import { Effect, Option, Stream } from "effect"
import { HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { Ingestion } from "../../../actors/Ingestion.ts"
import type { Document } from "../../../domain/document/Document.ts"
import { isTerminal } from "../../../domain/document/Document.ts"
import type { DocumentId } from "../../../domain/Ids.ts"
import type { Artifact } from "../../../domain/pipeline/Artifact.ts"
import type { ArtifactKey } from "../../../services/store/Artifacts.ts"
import { isKnown } from "../../answers/CacheableAnswers.ts"
import { streamBytes, UnsentBytes } from "../../answers/UnsentBytes.ts"
import { Api } from "../../api/Api.ts"
import { artifactViewOf, cursorOf, placeOf } from "../../api/pipelines/Artifacts.ts"
import { documentProblems } from "../../api/problems/Failures.ts"
import { NotFound } from "../../api/problems/Problems.ts"
import { CurrentTenant } from "../../auth/CurrentTenant.ts"

const what = ({ page, stage, version }: ArtifactKey) =>
  `the stage ${stage}${version === undefined ? "" : ` (version ${version})`} made nothing of ${page === undefined ? "the document" : `page ${page}`}`

/** Why there is no content. */
const absent = (document: Document, key: ArtifactKey, artifact: Artifact | undefined) => {
  const error = artifact?.error
  const why =
    artifact === undefined
      ? isTerminal(document.status)
        ? `the document is ${document.status}`
        : "the document has not ended yet"
      : `it was ${artifact.status === "skipped" ? "skipped" : "not done"}${error === undefined ? "" : `, ${error.code}: ${error.message}`}`
  return new NotFound({
    code: "ARTIFACT_NOT_FOUND",
    detail: `${what(key)}: ${why}`,
    ...(error === undefined ? {} : { advice: error.advice })
  })
}

/** An artifact is written once: one that was made anew has another moment. */
const etagOf = ({ createdAt, size, version }: Artifact): string =>
  `"${version}-${createdAt.epochMilliseconds.toString(36)}-${size.toString(36)}"`

const extensions: Readonly<Record<string, string>> = {
  "application/json": "json",
  "application/pdf": "pdf",
  "text/markdown": "md",
  "text/plain": "txt",
  "text/html": "html",
  "image/png": "png",
  "image/webp": "webp"
}

/** What stages made comes from elsewhere: nothing of it may run in a browser, or be shown as a page of this server. */
const headersOf = ({ mediaType, page, stage, version }: Artifact, etag: string) => {
  const extension = extensions[mediaType.split(";", 1)[0]?.trim().toLowerCase() ?? ""] ?? "bin"
  const name = `${page === undefined ? "document" : `page-${page}`}.${stage}-${version}.${extension}`
  return {
    etag,
    // A stage may be run again with the same version, so whoever keeps it has to ask; and keys decide who may see it.
    "cache-control": "private, no-cache",
    "content-disposition": `attachment; filename="${name}"`,
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "sluice-stage-version": version
  }
}

/** A media type as a header may have it. */
const contentType = (mediaType: string) =>
  /^[\w.+-]+\/[\w.+-]+(?:;[ \w.=+"-]*)?$/.test(mediaType) ? mediaType : "application/octet-stream"

export const ArtifactsHandlers = HttpApiBuilder.group(
  Api,
  "artifacts",
  Effect.fn(function* (handlers) {
    const ingestion = yield* Ingestion
    const unsent = yield* UnsentBytes

    const content = Effect.fnUntraced(function* (id: DocumentId, key: ArtifactKey, known: string | undefined) {
      const tenant = yield* CurrentTenant
      const found = Option.getOrUndefined(yield* documentProblems(ingestion.artifact(tenant.id, id, key)))
      if (found?.bytes === undefined) {
        const document = yield* documentProblems(ingestion.find(tenant.id, id))
        return yield* absent(document, key, found?.artifact)
      }
      const { artifact, bytes } = found
      const headers = headersOf(artifact, etagOf(artifact))
      if (isKnown(known, headers.etag)) return HttpServerResponse.empty({ status: 304, headers })
      yield* unsent.hold(streamBytes)
      const sent = Stream.tapError(bytes, (error) => Effect.logWarning("an artifact broke off", error))
      return HttpServerResponse.stream(sent, {
        contentType: contentType(artifact.mediaType),
        contentLength: artifact.size,
        headers
      })
    })

    return handlers.handleAll({
      list: Effect.fnUntraced(function* ({ params: { id }, query: { cursor, limit = 100, page, stage } }) {
        const tenant = yield* CurrentTenant
        const after = cursor === undefined ? undefined : placeOf(cursor)
        const options = { stage, page, after, limit: limit + 1 }
        const found = yield* documentProblems(ingestion.artifacts(tenant.id, id, options))
        const artifacts = found.slice(0, limit).map((artifact) => artifactViewOf(id, artifact))
        const last = found.length > limit ? artifacts.at(-1) : undefined
        return last === undefined ? { artifacts } : { artifacts, nextCursor: cursorOf(last) }
      }),
      ofDocument: ({ headers, params: { id, stage }, query: { version } }) =>
        content(id, { stage, version }, headers["if-none-match"]),
      ofPage: ({ headers, params: { id, n, stage }, query: { version } }) =>
        content(id, { page: n, stage, version }, headers["if-none-match"])
    })
  })
)

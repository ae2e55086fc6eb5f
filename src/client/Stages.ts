import { Effect, Option, Redacted, Stream } from "effect"
import { HttpClientRequest, HttpClientResponse } from "effect/http"
import type { DocumentId } from "../domain/Ids.ts"
import type { ArtifactOf, ContentOf, ImageOf, Interface } from "./ClientInterface.ts"
import type { Connection } from "./Connection.ts"

const textOf = (query: Readonly<Record<string, string | number | undefined>>) =>
  Object.fromEntries(
    Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]))
  )

/** Pipelines, what stages made, and pages as images. */
export const stagesWith = ({
  api,
  ask,
  http,
  urlOf
}: Connection): Pick<
  Interface,
  "artifact" | "artifacts" | "image" | "pipelines" | "retryStage" | "retryDocuments" | "thumbnail"
> => {
  /** The answer is bytes whatever their media type, so it is not decoded by the contract. */
  const bytesAt = Effect.fnUntraced(function* (
    path: string,
    query: Readonly<Record<string, string | number | undefined>>,
    headers: Readonly<Record<string, string>> = {}
  ) {
    const request = HttpClientRequest.get(urlOf(path), { urlParams: textOf(query), headers })
    const answer = yield* ask(Effect.flatMap(http.execute(request), HttpClientResponse.filterStatusOk))
    const content: ContentOf = {
      mediaType: answer.headers["content-type"] ?? "application/octet-stream",
      bytes: Stream.catch(answer.stream, (error) => Stream.fromEffect(ask(Effect.fail(error))))
    }
    return content
  })

  const imageAt = (id: DocumentId, page: number, kind: "image" | "thumbnail", { password, ...query }: ImageOf) =>
    bytesAt(
      `/v1/documents/${id}/pages/${page}/${kind}`,
      query,
      password === undefined ? {} : { "x-pdf-password": Redacted.value(password) }
    )

  return {
    pipelines: ask(api.pipelines.list({ query: {}, headers: {} })),
    artifacts: (id, of = {}) =>
      Stream.paginate(Option.none<string>(), (cursor) =>
        Effect.map(
          ask(
            api.artifacts.list({
              params: { id },
              query: { limit: 500, ...of, ...(Option.isNone(cursor) ? {} : { cursor: cursor.value }) },
              headers: {}
            })
          ),
          ({ artifacts, nextCursor }) =>
            [artifacts, Option.map(Option.fromUndefinedOr(nextCursor), Option.some)] as const
        )
      ),
    artifact: Effect.fn("SluiceClient.artifact")((id: DocumentId, { page, stage, version }: ArtifactOf) =>
      bytesAt(`/v1/documents/${id}${page === undefined ? "" : `/pages/${page}`}/artifacts/${stage}`, { version })
    ),
    image: Effect.fn("SluiceClient.image")((id: DocumentId, page: number, of: ImageOf = {}) =>
      imageAt(id, page, "image", of)
    ),
    thumbnail: Effect.fn("SluiceClient.thumbnail")((id: DocumentId, page: number) =>
      imageAt(id, page, "thumbnail", {})
    ),
    retryStage: Effect.fn("SluiceClient.retryStage")((id, of, password) =>
      ask(
        api.documents.retry({
          params: { id },
          query: of,
          headers: {},
          // The schema of the contract requires this label.
          payload:
            password === undefined ? {} : { password: Redacted.make(Redacted.value(password), { label: "password" }) }
        })
      )
    ),
    retryDocuments: Effect.fn("SluiceClient.retryDocuments")((query = {}) =>
      ask(api.documents.retryMany({ query, headers: {} }))
    )
  }
}

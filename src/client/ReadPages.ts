import { Effect, Option, Stream } from "effect"
import { HttpClientRequest, HttpClientResponse } from "effect/http"
import type { DocumentId } from "../domain/Ids.ts"
import { textHeaders } from "../http/handlers/pages/TextGaps.ts"
import { clientError } from "./ClientErrors.ts"
import type { DocumentText, Interface } from "./ClientInterface.ts"
import type { Connection } from "./Connection.ts"

export const pagesWith =
  ({ api, ask }: Connection): Interface["pages"] =>
  (id, { lines = false } = {}) =>
    Stream.paginate(1, (from) =>
      Effect.map(
        ask(
          api.pages.pages({
            params: { id },
            query: { from, limit: 100, ...(lines ? { detail: "lines" as const } : {}) },
            headers: {}
          })
        ),
        ({ next, pages: found }) =>
          // Summaries are never requested; this narrows the type.
          [found.flatMap((page) => ("text" in page ? [page] : [])), Option.fromUndefinedOr(next)] as const
      )
    )

export const textWith = ({ ask, http, origin, urlOf }: Connection) =>
  Effect.fn("SluiceClient.text")(function* (id: DocumentId, { mark }: { readonly mark?: "missing" | undefined } = {}) {
    const request = HttpClientRequest.get(urlOf(`/v1/documents/${id}/text`), {
      urlParams: mark === undefined ? {} : { mark }
    })
    const { headers, stream } = yield* ask(Effect.flatMap(http.execute(request), HttpClientResponse.filterStatusOk))
    const { [textHeaders.incomplete]: incomplete, [textHeaders.missing]: missing } = headers
    const answer: DocumentText = {
      complete: headers[textHeaders.text] === "complete",
      status: headers[textHeaders.status] ?? "unknown",
      ...(missing === undefined ? {} : { missing }),
      ...(incomplete === undefined ? {} : { incomplete }),
      text: stream.pipe(
        Stream.decodeText,
        Stream.catch((error) => Stream.unwrap(Effect.map(clientError(origin, error), Stream.fail)))
      )
    }
    return answer
  })

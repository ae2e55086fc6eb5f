import { Effect, Stream } from "effect"
import { HttpClientRequest, HttpClientResponse } from "effect/http"
import type { DocumentId } from "../domain/Ids.ts"
import type { RenderedText, RenderQuery } from "./ClientInterface.ts"
import type { Connection } from "./Connection.ts"
import { textHeaders } from "../http/handlers/pages/TextGaps.ts"

export const renderWith = ({ ask, http, urlOf }: Connection) =>
  Effect.fn("SluiceClient.render")(function* (id: DocumentId, { format, from, to, ...shown }: RenderQuery) {
    const request = HttpClientRequest.get(urlOf(`/v1/documents/${id}/${format}`), {
      urlParams: {
        ...(from === undefined ? {} : { from: String(from) }),
        ...(to === undefined ? {} : { to: String(to) }),
        ...shown
      }
    })
    const { headers, stream } = yield* ask(Effect.flatMap(http.execute(request), HttpClientResponse.filterStatusOk))
    const {
      [textHeaders.incomplete]: incomplete,
      [textHeaders.missing]: missing,
      [textHeaders.withoutLayout]: withoutLayout
    } = headers
    const answer: RenderedText = {
      complete: headers[textHeaders.text] === "complete",
      status: headers[textHeaders.status] ?? "unknown",
      ...(missing === undefined ? {} : { missing }),
      ...(incomplete === undefined ? {} : { incomplete }),
      ...(withoutLayout === undefined ? {} : { withoutLayout }),
      text: Stream.decodeText(stream).pipe(Stream.catch((error) => Stream.fromEffect(ask(Effect.fail(error)))))
    }
    return answer
  })

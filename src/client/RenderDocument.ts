import { Effect, Stream } from "effect"
import { HttpClientRequest, HttpClientResponse } from "effect/http"
import type { DocumentId } from "../domain/Ids.ts"
import type { ClientError } from "./ClientErrors.ts"
import type { Connection } from "./Connection.ts"
import { textHeaders } from "../http/handlers/pages/TextGaps.ts"

export interface RenderQuery {
  readonly format: "markdown" | "html" | "json"
  /** The first and the last page; all when absent. */
  readonly from?: number | undefined
  readonly to?: number | undefined
  /** Running headers and footers and page numbers are left out unless `keep`. Not for `json`, as those that follow. */
  readonly headers?: "keep" | undefined
  /** `drop` leaves out text that a reader of the page does not see. */
  readonly hidden?: "drop" | undefined
  /** Bold and italic are shown if `keep`. */
  readonly emphasis?: "keep" | undefined
  /** Pages without text, or with an incomplete one, are marked. */
  readonly mark?: "missing" | undefined
}

/** What is missing of a rendering, and its text. */
export interface RenderedText {
  /** False when the document is not `completed`, when a page's text may be missing, or when a page has warnings. */
  readonly complete: boolean
  readonly status: string
  /** Pages such as `3,7-9`; absent when there are none. So are the next two. */
  readonly missing?: string
  /** Pages with warnings. */
  readonly incomplete?: string
  /** Pages that were rendered from their text, as they were read without their layout. */
  readonly withoutLayout?: string
  readonly text: Stream.Stream<string, ClientError>
}

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

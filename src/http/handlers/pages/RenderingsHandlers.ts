import { Effect, Stream } from "effect"
import { HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { Ingestion, type RenderingOptions } from "../../../actors/Ingestion.ts"
import { type PageSpan, spansText } from "../../../domain/document/PageSpans.ts"
import type { DocumentId } from "../../../domain/Ids.ts"
import { streamBytes, UnsentBytes } from "../../answers/UnsentBytes.ts"
import { Api } from "../../api/Api.ts"
import { documentProblems } from "../../api/problems/Failures.ts"
import type { PageRange } from "../../api/schemas/PageRange.ts"
import { CurrentTenant } from "../../auth/CurrentTenant.ts"
import { gapsOf } from "./PagesText.ts"
import { requireRange } from "./RequestedPages.ts"
import { gapHeaders, textHeaders } from "./TextGaps.ts"

/** Keeps a browser from loading or running anything, should ever something get into the HTML that could. */
const policy =
  "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; sandbox"

interface Wanted extends PageRange {
  readonly headers?: "keep"
  readonly hidden?: "drop"
  readonly emphasis?: "keep"
  readonly mark?: "missing"
}

const optionsOf = (format: RenderingOptions["format"], query: Wanted): RenderingOptions => ({
  format,
  from: query.from,
  to: query.to,
  headers: query.headers ?? "drop",
  hidden: query.hidden ?? "keep",
  emphasis: query.emphasis === "keep",
  marks: query.mark === "missing"
})

const within = (spans: ReadonlyArray<PageSpan>, { from = 1, to = Number.POSITIVE_INFINITY }: PageRange) =>
  spans.flatMap(([first, last]): ReadonlyArray<PageSpan> => {
    const span = [Math.max(first, from), Math.min(last, to)] as const
    return span[0] > span[1] ? [] : [span]
  })

export const RenderingsHandlers = HttpApiBuilder.group(
  Api,
  "renderings",
  Effect.fn(function* (handlers) {
    const ingestion = yield* Ingestion
    const unsent = yield* UnsentBytes

    const render = Effect.fnUntraced(function* (
      id: DocumentId,
      query: Wanted,
      format: RenderingOptions["format"],
      contentType: string,
      more: Readonly<Record<string, string>> = {}
    ) {
      const tenant = yield* CurrentTenant
      const document = yield* documentProblems(ingestion.find(tenant.id, id))
      yield* requireRange(document, query)
      yield* unsent.hold(streamBytes)
      const gaps = yield* documentProblems(gapsOf(ingestion, document, query))
      const { text, withoutLayout } = yield* documentProblems(ingestion.render(tenant.id, id, optionsOf(format, query)))
      const without = within(withoutLayout, query)
      const headers = {
        ...more,
        ...gapHeaders(document, gaps),
        ...(without.length === 0 ? {} : { [textHeaders.withoutLayout]: spansText(without) })
      }
      const bytes = text.pipe(
        Stream.encodeText,
        // The status line has been sent, so the connection is cut: the answer must not look complete.
        Stream.tapError((error) => Effect.logWarning("a rendering broke off", error))
      )
      return HttpServerResponse.stream(bytes, { contentType, headers })
    })

    return handlers.handleAll({
      markdown: ({ params: { id }, query }) => render(id, query, "markdown", "text/markdown; charset=utf-8"),
      html: ({ params: { id }, query }) =>
        render(id, query, "html", "text/html; charset=utf-8", { "content-security-policy": policy }),
      json: ({ params: { id }, query }) => render(id, query, "json", "application/json")
    })
  })
)

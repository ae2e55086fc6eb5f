import { Data, Effect, Option, Stream } from "effect"
import { HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { Ingestion } from "../../../actors/Ingestion.ts"
import { isTerminal } from "../../../domain/document/Document.ts"
import type { PageResult } from "../../../domain/document/Page.ts"
import { hasNoText } from "../../../domain/document/PageMarks.ts"
import { decodeLayout } from "../../../domain/document/LayoutBytes.ts"
import { Api } from "../../api/Api.ts"
import { CurrentTenant } from "../../auth/CurrentTenant.ts"
import { streamBytes, UnsentBytes } from "../../answers/UnsentBytes.ts"
import { encodedPage, pageWithLayout } from "./EncodedPages.ts"
import { listPages } from "./ListPages.ts"
import { documentProblems } from "../../api/problems/Failures.ts"
import { liveHeaders, LiveStreams } from "../../live/LiveStreams.ts"
import { pagesInOrder } from "./PagesInOrder.ts"
import { gapsOf, pageTexts } from "./PagesText.ts"
import { pageNotFound, requireRange } from "./RequestedPages.ts"
import { Conflict } from "../../api/problems/Problems.ts"
import { gapHeaders } from "./TextGaps.ts"

/** The server stopped before all pages were sent. */
class Stopping extends Data.TaggedError("Stopping")<{}> {}

export const PagesHandlers = HttpApiBuilder.group(
  Api,
  "pages",
  Effect.fn(function* (handlers) {
    const ingestion = yield* Ingestion
    const streams = yield* LiveStreams
    const unsent = yield* UnsentBytes
    const services = { ingestion, streams, unsent }
    return handlers.handleAll({
      pages: Effect.fnUntraced(function* ({ params: { id }, query: { detail, from = 1, limit = 50, to, wait } }) {
        const tenant = yield* CurrentTenant
        const range = { from, to: to ?? Number.POSITIVE_INFINITY }
        return yield* listPages(services, tenant.id, id, { detail: detail ?? "text", ...range, limit, wait })
      }),

      page: Effect.fnUntraced(function* ({ params: { id, n }, query }) {
        const tenant = yield* CurrentTenant
        const detail = query.detail ?? "text"
        const withLayout = detail === "layout" || detail === "words"
        const options = { from: n, limit: 1, detail: detail === "lines", layout: withLayout }
        const [found] = yield* documentProblems(ingestion.pages(tenant.id, id, options))
        if (found?.number === n) {
          const shown = withLayout ? yield* laidOutPage(found, detail) : encodedPage(found, detail)
          return HttpServerResponse.text(shown, { contentType: "application/json" })
        }
        const document = yield* documentProblems(ingestion.find(tenant.id, id))
        return yield* pageNotFound(document, n)
      }),

      all: Effect.fnUntraced(function* ({ params, query }) {
        const { id: tenant } = yield* CurrentTenant
        const { detail = false, follow = false, from, to } = query
        const document = yield* documentProblems(ingestion.find(tenant, params.id))
        yield* requireRange(document, { from })
        const waits = follow && !isTerminal(document.status)
        if (waits) yield* streams.enter(tenant)
        yield* unsent.hold(streamBytes)
        const pages = pagesInOrder(ingestion, tenant, params.id, { detail, follow, from, to }).pipe(
          Stream.interruptWhen(Effect.andThen(streams.closed, Effect.fail(new Stopping()))),
          Stream.tapError((error) => Effect.logWarning("pages broke off", error)),
          // An empty line means that no page is ready yet.
          Stream.map((page) => `${Option.isNone(page) ? "" : encodedPage(page.value, detail ? "lines" : "text")}\n`),
          Stream.encodeText
        )
        const headers = waits ? liveHeaders : {}
        return HttpServerResponse.stream(pages, { contentType: "application/x-ndjson", headers })
      }),

      text: Effect.fnUntraced(function* ({ params, query }) {
        const tenant = yield* CurrentTenant
        const document = yield* documentProblems(ingestion.find(tenant.id, params.id))
        yield* requireRange(document, query)
        yield* unsent.hold(streamBytes)
        const headers = gapHeaders(document, yield* documentProblems(gapsOf(ingestion, document, query)))
        const text = pageTexts(ingestion, document, query).pipe(
          Stream.intersperse("\f"),
          Stream.encodeText,
          // The status line has been sent, so the connection is cut: the text must not appear to be complete.
          Stream.tapError((error) => Effect.logWarning("text broke off", error))
        )
        return HttpServerResponse.stream(text, { contentType: "text/plain; charset=utf-8", headers })
      })
    })
  })
)

/** A page without text has no layout either, and is shown as it is. */
const laidOutPage = Effect.fnUntraced(function* (page: PageResult, detail: "words" | "layout") {
  const layout = page.layout === undefined ? undefined : decodeLayout(page.layout)
  if (layout !== undefined) return pageWithLayout(page, layout, detail)
  if (hasNoText(page) || page.text === "") return encodedPage(page, "text")
  return yield* new Conflict({
    code: "LAYOUT_MISSING",
    detail: `page ${page.number} was read without its layout`,
    advice: "Send the file again with force=true, to a server that runs with PAGE_LAYOUT=on."
  })
})

import { Data, Duration, Effect, Option, Stream } from "effect"
import { type HttpServerRequest, HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { Ingestion } from "../../../actors/Ingestion.ts"
import { type Document, isTerminal } from "../../../domain/document/Document.ts"
import type { PageResult } from "../../../domain/document/Page.ts"
import { hasNoText } from "../../../domain/document/PageMarks.ts"
import type { DocumentId, TenantId } from "../../../domain/Ids.ts"
import { decodeLayout } from "../../../services/store/LayoutBytes.ts"
import { portionBytes } from "../../../services/store/Portions.ts"
import { Api } from "../../api/Api.ts"
import { CurrentTenant } from "../../auth/CurrentTenant.ts"
import { streamBytes, UnsentBytes } from "../../answers/UnsentBytes.ts"
import { encodedPage, encodedPages, mostBytes, pagesAnswer, pageWithLayout } from "./EncodedPages.ts"
import { documentProblems } from "../../api/problems/Failures.ts"
import { liveHeaders, LiveStreams } from "../../live/LiveStreams.ts"
import { waitOf } from "../../api/Pages.ts"
import { pagesInOrder } from "./PagesInOrder.ts"
import { gapsOf, pageTexts } from "./PagesText.ts"
import { Conflict, NotFound } from "../../api/problems/Problems.ts"
import { gapHeaders } from "./TextGaps.ts"
import { jsonWhenFound } from "./WaitingPages.ts"

/** The server stopped before all pages were sent. */
class Stopping extends Data.TaggedError("Stopping")<{}> {}

export const PagesHandlers = HttpApiBuilder.group(
  Api,
  "pages",
  Effect.fn(function* (handlers) {
    const ingestion = yield* Ingestion
    const streams = yield* LiveStreams
    const unsent = yield* UnsentBytes

    /** Waits until a page at or after `from` has a result or the document has ended; `None` if there is nothing to wait for. */
    const waitForPages = Effect.fnUntraced(function* (
      tenant: TenantId,
      id: DocumentId,
      from: number,
      longest: Duration.Duration
    ) {
      if (Duration.isZero(longest)) return Option.none()
      const isReady = Effect.gen(function* () {
        const found = yield* ingestion.pages(tenant, id, { from, limit: 1, detail: false, summary: true })
        return found.length > 0 || isTerminal((yield* ingestion.find(tenant, id)).status)
      })
      if (yield* documentProblems(isReady)) return Option.none()
      yield* streams.enter(tenant)
      const found = Effect.gen(function* () {
        const changed = yield* ingestion.changed(id)
        while (!(yield* isReady)) yield* changed
      }).pipe(
        Effect.scoped,
        Effect.catchTag("DocumentNotFound", () => Effect.void)
      )
      return Option.some(Effect.raceFirst(found, Effect.raceFirst(Effect.sleep(longest), streams.closed)))
    })

    return handlers.handleAll({
      pages: Effect.fnUntraced(function* ({ params: { id }, query: { from = 1, limit = 50, wait, ...query } }) {
        const tenant = yield* CurrentTenant
        const detail = query.detail ?? "text"
        const kinds =
          detail === "summary" ? { detail: false, summary: true } : { detail: detail === "lines", bytes: portionBytes }
        const read = (from: number, limit: number) =>
          documentProblems(ingestion.pages(tenant.id, id, { from, limit, ...kinds }))
        const encoded = encodedPages(read, unsent.hold, { detail, from, limit })
        const pages = detail === "summary" ? encoded : Effect.andThen(unsent.room(mostBytes), encoded)

        const found = yield* waitForPages(tenant.id, id, from, (wait && waitOf(wait)) || Duration.zero)
        if (Option.isNone(found)) {
          return HttpServerResponse.uint8Array(yield* pages, { contentType: "application/json" })
        }
        // The status line was sent before the pages are there. An error gives an empty answer; the next request reports it.
        const nothing = (next?: number) => Effect.succeed(pagesAnswer([], next))
        const services = yield* Effect.context<HttpServerRequest.HttpServerRequest>()
        const answer = pages.pipe(
          Effect.catchTags({
            NotFound: () => nothing(),
            TooManyRequests: () => nothing(from),
            ServiceUnavailable: () => nothing(from)
          }),
          Effect.provideContext(services)
        )
        const waiting = jsonWhenFound(found.value, answer).pipe(
          Stream.tapError((error) => Effect.logWarning("pages broke off", error))
        )
        return HttpServerResponse.stream(waiting, { contentType: "application/json", headers: liveHeaders })
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
        return yield* new NotFound({ code: "PAGE_NOT_FOUND", detail: whyAbsent(document, n) })
      }),

      all: Effect.fnUntraced(function* ({ params, query }) {
        const { id: tenant } = yield* CurrentTenant
        const options = { detail: query.detail ?? false, follow: query.follow ?? false }
        const { status } = yield* documentProblems(ingestion.find(tenant, params.id))
        const waits = options.follow && !isTerminal(status)
        if (waits) yield* streams.enter(tenant)
        yield* unsent.hold(streamBytes)
        const pages = pagesInOrder(ingestion, tenant, params.id, options).pipe(
          Stream.interruptWhen(Effect.andThen(streams.closed, Effect.fail(new Stopping()))),
          Stream.tapError((error) => Effect.logWarning("pages broke off", error)),
          // An empty line means that no page is ready yet.
          Stream.map(
            (page) => `${Option.isNone(page) ? "" : encodedPage(page.value, options.detail ? "lines" : "text")}\n`
          ),
          Stream.encodeText
        )
        const headers = waits ? liveHeaders : {}
        return HttpServerResponse.stream(pages, { contentType: "application/x-ndjson", headers })
      }),

      text: Effect.fnUntraced(function* ({ params, query }) {
        const tenant = yield* CurrentTenant
        const document = yield* documentProblems(ingestion.find(tenant.id, params.id))
        yield* unsent.hold(streamBytes)
        const headers = gapHeaders(document, yield* documentProblems(gapsOf(ingestion, document)))
        const text = pageTexts(ingestion, document, query.mark === "missing").pipe(
          Stream.intersperse("\f"),
          Stream.encodeText,
          // The status line has been sent, so the connection is cut: the text must not isReady complete.
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

const whyAbsent = ({ progress: { pages }, status }: Document, n: number): string => {
  if (pages !== undefined && n > pages) return `page ${n} is beyond the last page, ${pages}`
  return isTerminal(status) ? `page ${n} has no result: the document is ${status}` : `page ${n} is pending`
}

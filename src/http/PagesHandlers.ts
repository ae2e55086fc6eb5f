import { Data, Duration, Effect, Stream } from "effect"
import { HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { Ingestion } from "../actors/Ingestion.ts"
import { type Document, isTerminal } from "../domain/Document.ts"
import type { DocumentId, TenantId } from "../domain/Ids.ts"
import { Api } from "./Api.ts"
import { CurrentTenant } from "./CurrentTenant.ts"
import { encodedPage, encodedPages } from "./EncodedPages.ts"
import { documentProblems } from "./Failures.ts"
import { liveHeaders, LiveStreams } from "./LiveStreams.ts"
import { waitOf } from "./PagesApi.ts"
import { pagesInOrder } from "./PagesInOrder.ts"
import { NotFound } from "./Problems.ts"

/** The server stops before all pages were sent. */
class Stopping extends Data.TaggedError("Stopping")<{}> {}

export const PagesHandlers = HttpApiBuilder.group(
  Api,
  "pages",
  Effect.fn(function* (handlers) {
    const ingestion = yield* Ingestion
    const streams = yield* LiveStreams

    /** Until there is a page from that one on, or none can come any more; at most so long. */
    const waitForPages = Effect.fnUntraced(function* (
      tenant: TenantId,
      id: DocumentId,
      from: number,
      longest: Duration.Duration
    ) {
      const look = documentProblems(ingestion.pages(tenant, id, { from, limit: 1, detail: false, summary: true }))
      if ((yield* look).length > 0) return
      yield* streams.enter(tenant)
      const changed = yield* ingestion.changed(id)
      const found = Effect.gen(function* () {
        for (;;) {
          const { status } = yield* documentProblems(ingestion.status(tenant, id))
          if (isTerminal(status) || (yield* look).length > 0) return
          yield* changed
        }
      })
      yield* Effect.raceFirst(found, Effect.raceFirst(Effect.sleep(longest), streams.closed))
    }, Effect.scoped)
    return handlers.handleAll({
      pages: Effect.fnUntraced(function* ({ params: { id }, query: { from = 1, limit = 50, wait, ...query } }) {
        const tenant = yield* CurrentTenant
        const detail = query.detail ?? "text"
        const longest = wait === undefined ? undefined : waitOf(wait)
        if (longest !== undefined && !Duration.isZero(longest)) yield* waitForPages(tenant.id, id, from, longest)
        const kinds = { detail: detail === "lines", summary: detail === "summary" }
        const read = (from: number, limit: number) =>
          documentProblems(ingestion.pages(tenant.id, id, { from, limit, ...kinds }))
        const pages = yield* encodedPages(read, { detail, from, limit })
        return HttpServerResponse.uint8Array(pages, { contentType: "application/json" })
      }),

      page: Effect.fnUntraced(function* ({ params: { id, n }, query }) {
        const tenant = yield* CurrentTenant
        const detail = query.detail ?? "text"
        const options = { from: n, limit: 1, detail: detail === "lines" }
        const [found] = yield* documentProblems(ingestion.pages(tenant.id, id, options))
        if (found?.number === n) {
          return HttpServerResponse.text(encodedPage(found, detail), { contentType: "application/json" })
        }
        const document = yield* documentProblems(ingestion.status(tenant.id, id))
        return yield* new NotFound({ code: "PAGE_NOT_FOUND", detail: whyAbsent(document, n) })
      }),

      all: Effect.fnUntraced(function* ({ params, query }) {
        const { id: tenant } = yield* CurrentTenant
        const options = { detail: query.detail ?? false, follow: query.follow ?? false }
        const { status } = yield* documentProblems(ingestion.status(tenant, params.id))
        if (options.follow && !isTerminal(status)) yield* streams.enter(tenant)
        const pages = pagesInOrder(ingestion, tenant, params.id, options).pipe(
          Stream.interruptWhen(Effect.andThen(streams.closed, Effect.fail(new Stopping()))),
          Stream.tapError((error) => Effect.logWarning("pages broke off", error)),
          Stream.map((page) => `${encodedPage(page, options.detail ? "lines" : "text")}\n`),
          Stream.encodeText
        )
        return HttpServerResponse.stream(pages, { contentType: "application/x-ndjson", headers: liveHeaders })
      }),

      text: Effect.fnUntraced(function* ({ params }) {
        const tenant = yield* CurrentTenant
        const pages = yield* documentProblems(ingestion.text(tenant.id, params.id))
        return pages.pipe(
          Stream.intersperse("\f"),
          Stream.encodeText,
          // The status is sent by then: the connection is cut, so that the text does not look complete.
          Stream.tapError((error) => Effect.logWarning("text broke off", error))
        )
      })
    })
  })
)

const whyAbsent = ({ progress: { pages }, status }: Document, n: number): string => {
  if (pages !== undefined && n > pages) return `page ${n} is beyond the last page, ${pages}`
  return isTerminal(status) ? `page ${n} has no result: the document is ${status}` : `page ${n} is pending`
}

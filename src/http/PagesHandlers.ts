import { Data, Duration, Effect, Stream } from "effect"
import { HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { Ingestion } from "../actors/Ingestion.ts"
import { type Document, isTerminal } from "../domain/Document.ts"
import type { DocumentId, TenantId } from "../domain/Ids.ts"
import { Api } from "./Api.ts"
import { CurrentTenant } from "./CurrentTenant.ts"
import { pageViewOf } from "./DocumentView.ts"
import { documentProblems } from "./Failures.ts"
import { liveHeaders, LiveStreams } from "./LiveStreams.ts"
import { waitOf } from "./PagesApi.ts"
import { encodePage, pagesInOrder } from "./PagesInOrder.ts"
import { NotFound } from "./Problems.ts"

/** The server stops before all pages were sent. */
class Stopping extends Data.TaggedError("Stopping")<{}> {}

export const PagesHandlers = HttpApiBuilder.group(
  Api,
  "pages",
  Effect.fn(function* (handlers) {
    const ingestion = yield* Ingestion
    const streams = yield* LiveStreams

    /** What the look finds as soon as that is something, or nothing more can come; at the latest when the time is over. */
    const waitForPages = Effect.fnUntraced(function* <A, E>(
      tenant: TenantId,
      id: DocumentId,
      look: Effect.Effect<ReadonlyArray<A>, E>,
      longest: Duration.Duration
    ) {
      const first = yield* look
      if (first.length > 0) return first
      yield* streams.enter(tenant)
      const changed = yield* ingestion.changed(id)
      const found = Effect.gen(function* () {
        for (;;) {
          const { status } = yield* documentProblems(ingestion.status(tenant, id))
          const pages = yield* look
          if (pages.length > 0 || isTerminal(status)) return pages
          yield* changed
        }
      })
      const tired = Effect.andThen(Effect.raceFirst(Effect.sleep(longest), streams.closed), look)
      return yield* Effect.raceFirst(found, tired)
    }, Effect.scoped)
    return handlers.handleAll({
      pages: Effect.fnUntraced(function* ({ params, query: { detail, from = 1, limit = 50, wait } }) {
        const tenant = yield* CurrentTenant
        const lines = detail === "lines"
        const look = documentProblems(ingestion.pages(tenant.id, params.id, { from, limit: limit + 1, detail: lines }))
        const longest = wait === undefined ? undefined : waitOf(wait)
        const found =
          longest === undefined || Duration.isZero(longest)
            ? yield* look
            : yield* waitForPages(tenant.id, params.id, look, longest)
        const pages = yield* Effect.forEach(found.slice(0, limit), (page) => pageViewOf(page, lines))
        const next = found[limit]?.number
        return next === undefined ? { pages } : { pages, next }
      }),

      page: Effect.fnUntraced(function* ({ params: { id, n }, query }) {
        const tenant = yield* CurrentTenant
        const detail = query.detail === "lines"
        const [found] = yield* documentProblems(ingestion.pages(tenant.id, id, { from: n, limit: 1, detail }))
        if (found?.number === n) return yield* pageViewOf(found, detail)
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
          Stream.mapEffect((page) => Effect.flatMap(pageViewOf(page, options.detail), encodePage)),
          Stream.map((line) => `${line}\n`),
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

import { Duration, Effect, Option, Stream } from "effect"
import { type HttpServerRequest, HttpServerResponse } from "effect/http"
import type { Ingestion } from "../../../actors/Ingestion.ts"
import type { DocumentId, TenantId } from "../../../domain/Ids.ts"
import { portionBytes } from "../../../domain/document/Portions.ts"
import type { UnsentBytes } from "../../answers/UnsentBytes.ts"
import { waitOf } from "../../api/Pages.ts"
import { documentProblems } from "../../api/problems/Failures.ts"
import { liveHeaders, type LiveStreams } from "../../live/LiveStreams.ts"
import { encodedPages, mostBytes, type PageDetail, pagesAnswer } from "./EncodedPages.ts"
import { jsonWhenFound, waitForPages } from "./WaitingPages.ts"

export interface PageServices {
  readonly ingestion: Ingestion["Service"]
  readonly streams: LiveStreams["Service"]
  readonly unsent: UnsentBytes["Service"]
}

interface ListQuery {
  readonly detail: PageDetail
  readonly from: number
  /** The last page that is asked for; infinite for all. */
  readonly to: number
  readonly limit: number
  /** Such as `30s`, in a form that `waitOf` knows. */
  readonly wait: string | undefined
}

/** The bytes of the answer; refused if there is no room for them. */
const readPages = (
  { ingestion, unsent }: PageServices,
  tenant: TenantId,
  id: DocumentId,
  { detail, from, limit, to }: ListQuery
) => {
  const isSummary = detail === "summary"
  const kinds = isSummary ? { detail: false, summary: true } : { detail: detail === "lines", bytes: portionBytes }
  const read = (from: number, limit: number) =>
    from > to
      ? Effect.succeed([])
      : Effect.map(documentProblems(ingestion.pages(tenant, id, { from, limit, ...kinds })), (found) =>
          found.filter(({ number }) => number <= to)
        )
  const encoded = encodedPages(read, unsent.hold, { detail, from, limit })
  return isSummary ? encoded : Effect.andThen(unsent.room(mostBytes), encoded)
}

/** The pages with a result, in order, and the number of the next one. With `wait`, the answer waits for such a page. */
export const listPages = Effect.fnUntraced(function* (
  services: PageServices,
  tenant: TenantId,
  id: DocumentId,
  query: ListQuery
) {
  const { from, to, wait } = query
  const pages = readPages(services, tenant, id, query)
  const longest = (wait && waitOf(wait)) || Duration.zero
  const found = yield* waitForPages(services, tenant, id, { from, to, longest })
  if (Option.isNone(found)) {
    return HttpServerResponse.uint8Array(yield* pages, { contentType: "application/json" })
  }
  // The status line was sent before the pages are there. An error gives an empty answer; the next request reports it.
  const nothing = (next?: number) => Effect.succeed(pagesAnswer([], next))
  const context = yield* Effect.context<HttpServerRequest.HttpServerRequest>()
  const answer = pages.pipe(
    Effect.catchTags({
      NotFound: () => nothing(),
      TooManyRequests: () => nothing(from),
      ServiceUnavailable: () => nothing(from)
    }),
    Effect.provideContext(context)
  )
  const waiting = jsonWhenFound(found.value, answer).pipe(
    Stream.tapError((error) => Effect.logWarning("pages broke off", error))
  )
  return HttpServerResponse.stream(waiting, { contentType: "application/json", headers: liveHeaders })
})

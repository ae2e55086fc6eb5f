import { Effect, Stream } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Ingestion } from "../actors/Ingestion.ts"
import { type Document, isTerminal } from "../domain/Document.ts"
import { Api } from "./Api.ts"
import { CurrentTenant } from "./CurrentTenant.ts"
import { pageViewOf } from "./DocumentView.ts"
import { documentProblems } from "./Failures.ts"
import { NotFound } from "./Problems.ts"

export const PagesHandlers = HttpApiBuilder.group(
  Api,
  "pages",
  Effect.fn(function* (handlers) {
    const ingestion = yield* Ingestion
    return handlers.handleAll({
      pages: Effect.fnUntraced(function* ({ params, query: { detail, from = 1, limit = 50 } }) {
        const tenant = yield* CurrentTenant
        const lines = detail === "lines"
        const found = yield* documentProblems(
          ingestion.pages(tenant.id, params.id, { from, limit: limit + 1, detail: lines })
        )
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

import { Duration, Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { PageNumber, PageView } from "../../domain/document/Page.ts"
import { TenantIdentification, tenantHeaders, tenantQuery } from "../auth/CurrentTenant.ts"
import { documentParams } from "./Documents.ts"
import { PageList, PageSummaryList } from "./views/DocumentView.ts"
import {
  ConflictResponse,
  NotFoundResponse,
  ServiceUnavailableResponse,
  TooManyRequestsResponse
} from "./problems/ProblemResponses.ts"
import { withPageRange } from "./schemas/PageRange.ts"
import { wholeNumber } from "./schemas/WholeNumber.ts"
import { RequestRules } from "./RequestRules.ts"

const withLines = "`lines` adds the lines of text with their positions"

const detail = Schema.optionalKey(
  Schema.Literals(["lines", "words", "layout"]).annotate({
    description:
      `${withLines}; \`words\` adds the words, whose places within their spans are estimated; \`layout\` adds what stands on the page: ` +
      "headings, paragraphs, lists, tables and other blocks with their lines and spans, as the page alone shows them."
  })
)

const longestWait = Duration.minutes(1)

/** `30s`, `500ms`, or seconds without a unit. */
export const waitOf = (text: string): Duration.Duration | undefined => {
  const [, count, unit] = /^(\d{1,6})(ms|s)?$/.exec(text) ?? []
  if (count === undefined) return undefined
  const wait = unit === "ms" ? Duration.millis(Number(count)) : Duration.seconds(Number(count))
  return Duration.isLessThanOrEqualTo(wait, longestWait) ? wait : undefined
}

const wait = Schema.String.check(
  Schema.makeFilter((text: string) => waitOf(text) !== undefined || "a time up to 60s, such as 30s or 500ms")
).annotate({
  description:
    "If the document has not ended and has no page at or after `from` yet, the answer waits for one: at most so " +
    "long, such as `30s`; up to `60s`.",
  examples: ["30s"]
})

const pages = HttpApiEndpoint.get("pages", "/v1/documents/:id/pages", {
  params: documentParams,
  query: withPageRange({
    ...tenantQuery,
    limit: Schema.optionalKey(
      wholeNumber(
        Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 500 })).annotate({
          description: "The most pages of one answer: 1 to 500; default 50."
        })
      )
    ),
    detail: Schema.optionalKey(
      Schema.Literals(["summary", "lines"]).annotate({
        description: `${withLines}; \`summary\` leaves the text out, and is cheap.`
      })
    ),
    wait: Schema.optionalKey(wait)
  }),
  headers: tenantHeaders,
  success: [PageList, PageSummaryList],
  error: [NotFoundResponse, TooManyRequestsResponse, ServiceUnavailableResponse]
}).annotateMerge(
  OpenApi.annotations({
    summary: "The pages that have a result, in order",
    description:
      "While a document runs, pages may be missing between those shown, and appear later: so a range of pages that has none " +
      "is an empty list. An answer ends after `to`, after `limit` pages, or before the page with which it would have more than 4 MiB of pages; it has at least one " +
      "page if there is one. If pages up to `to` are left, `next` is the `from` of the next answer. An answer that waits begins at " +
      "once, with status 200 and whitespace before its JSON. If there is no room for pages then, or the document " +
      "was removed, it has none."
  })
)

const page = HttpApiEndpoint.get("page", "/v1/documents/:id/pages/:n", {
  params: { ...documentParams, n: wholeNumber(PageNumber) },
  query: { ...tenantQuery, detail },
  headers: tenantHeaders,
  success: PageView,
  error: [NotFoundResponse, ConflictResponse, TooManyRequestsResponse, ServiceUnavailableResponse]
}).annotateMerge(
  OpenApi.annotations({
    summary: "One page",
    description:
      "404 `PAGE_NOT_FOUND` says why there is no result: the page is pending, beyond the last one, or was never read. 409 " +
      "`LAYOUT_MISSING`: the page was read without the layout that `words` and `layout` need."
  })
)

const text = HttpApiEndpoint.get("text", "/v1/documents/:id/text", {
  params: documentParams,
  query: withPageRange({
    ...tenantQuery,
    mark: Schema.optionalKey(
      Schema.Literal("missing").annotate({
        description:
          "`missing` gives every page its place, with a mark such as `[page 3 is missing: scanned]` where there is no text, and " +
          "`[page 4 is incomplete: CONTENT_CUT]` after a text with warnings."
      })
    )
  }),
  headers: tenantHeaders,
  success: HttpApiSchema.StreamUint8Array({ contentType: "text/plain; charset=utf-8" }),
  error: [NotFoundResponse, TooManyRequestsResponse, ServiceUnavailableResponse]
}).annotateMerge(
  OpenApi.annotations({
    summary: "The text of the finished pages",
    description:
      "Form feeds separate the pages. 404 `PAGE_NOT_FOUND`: `from` is beyond the last page. The headers say, of the pages that are " +
      "asked for, whether the text is complete, as of the beginning of the answer: " +
      "`Sluice-Text` is `complete`, or `partial` when the document is not `completed`, a page has no text that may have some, or has warnings; " +
      "`Sluice-Document-Status` is its status; `Sluice-Missing-Pages` names those pages, such as `3,7-9`: not read, failed, or " +
      "`scanned`; `Sluice-Incomplete-Pages` those with warnings. A list of more than 1,000 characters ends with `,...`."
  })
)

const all = HttpApiEndpoint.get("all", "/v1/documents/:id/pages.ndjson", {
  params: documentParams,
  query: withPageRange({
    ...tenantQuery,
    detail: Schema.optionalKey(
      Schema.Boolean.annotate({ description: "`true` adds the lines of text with their positions." })
    ),
    follow: Schema.optionalKey(
      Schema.Boolean.annotate({
        description:
          "`true` also waits for the pages of a running document that have no result yet, until it has ended."
      })
    )
  }),
  headers: tenantHeaders,
  success: HttpApiSchema.StreamNdjson({ schema: PageView }),
  error: [NotFoundResponse, TooManyRequestsResponse, ServiceUnavailableResponse]
}).annotateMerge(
  OpenApi.annotations({
    summary: "All finished pages, one JSON object per line, in order",
    description:
      "As fast as they are read. 404 `PAGE_NOT_FOUND`: `from` is beyond the last page. With `follow=true` a page waits for those before it; pages that have no result when the document " +
      "ends are left out. As long as there is none, an empty line comes at once and then every 15 seconds. If the answer cannot be completed, the connection is cut."
  })
)

export class PagesApi extends HttpApiGroup.make("pages")
  .add(pages, page, all, text)
  .middleware(TenantIdentification)
  .middleware(RequestRules)
  .annotateMerge(OpenApi.annotations({ title: "Pages", description: "What was read in a document, by page." })) {}

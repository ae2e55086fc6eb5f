import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { OutlineItem } from "../../domain/document/Document.ts"
import { layoutExample } from "../../domain/document/PageLayout.ts"
import { pageSummaryExamples, PageView } from "../../domain/document/Page.ts"
import { TenantIdentification, tenantHeaders, tenantQuery } from "../auth/CurrentTenant.ts"
import { documentParams } from "./Documents.ts"
import { NotFoundResponse, ServiceUnavailableResponse, TooManyRequestsResponse } from "./problems/ProblemResponses.ts"
import { withPageRange } from "./schemas/PageRange.ts"
import { RequestRules } from "./RequestRules.ts"

const query = withPageRange({
  ...tenantQuery,
  headers: Schema.optionalKey(
    Schema.Literal("keep").annotate({
      description: "`keep` shows running headers and footers and page numbers, which are left out otherwise."
    })
  ),
  hidden: Schema.optionalKey(
    Schema.Literal("drop").annotate({
      description:
        "`drop` leaves out text that a reader of the page does not see: invisible, in the colour of its ground, off the page, or " +
        "tiny. The text that an OCR put under a scan is invisible, too."
    })
  ),
  emphasis: Schema.optionalKey(
    Schema.Literal("keep").annotate({ description: "`keep` shows what is bold or italic." })
  ),
  mark: Schema.optionalKey(
    Schema.Literal("missing").annotate({
      description:
        "`missing` gives every page that has no text or an incomplete one a mark, as in the text of the document."
    })
  )
})

const headersTell =
  "`from` and `to` are pages, and a rendering is one answer, however long: so it has no `limit`. 404 `PAGE_NOT_FOUND`: `from` is beyond " +
  "the last page; a `to` beyond it means the last page. The headers tell what is missing, as those of `/text` do, in the pages that are asked for. `Sluice-Pages-Without-Layout` names the " +
  "pages that were read without their layout, by an earlier release or with `PAGE_LAYOUT=off`: they are rendered from their text, as " +
  "paragraphs. Send the file again with `force=true` to have them read with it. If the answer cannot be completed, the connection is cut."

const problems = [NotFoundResponse, TooManyRequestsResponse, ServiceUnavailableResponse] as const

const markdown = HttpApiEndpoint.get("markdown", "/v1/documents/:id/markdown", {
  params: documentParams,
  query,
  headers: tenantHeaders,
  success: HttpApiSchema.StreamUint8Array({ contentType: "text/markdown; charset=utf-8" }),
  error: problems
}).annotateMerge(
  OpenApi.annotations({
    summary: "The finished pages as Markdown",
    description:
      "Headings at the levels that the whole document shows, paragraphs joined over lines, columns and pages, lists, code, and tables: of " +
      `pipes, or of HTML where cells span. What looks like Markdown in the text is escaped. ${headersTell}`
  })
)

const html = HttpApiEndpoint.get("html", "/v1/documents/:id/html", {
  params: documentParams,
  query,
  headers: tenantHeaders,
  success: HttpApiSchema.StreamUint8Array({ contentType: "text/html; charset=utf-8" }),
  error: problems
}).annotateMerge(
  OpenApi.annotations({
    summary: "The finished pages as HTML",
    description:
      "One page of HTML without scripts, styles and images. Links lead to http, https and mailto addresses only, and a policy keeps a " +
      `browser from loading or running anything. ${headersTell}`
  })
)

/** What `/json` streams. */
export const DocumentLayout = Schema.Struct({
  outline: Schema.Array(OutlineItem),
  outlineSource: Schema.Literals(["file", "headings", "none"]).annotate({
    description: "`headings`: the file has no outline, so one was made of its headings."
  }),
  pages: Schema.Array(PageView)
}).annotate({
  identifier: "DocumentLayout",
  examples: [
    {
      outline: [{ title: "Annual report", depth: 0, page: 1 }],
      outlineSource: "headings" as const,
      pages: [{ ...pageSummaryExamples[0], text: "Annual report\nof the year 2029\nSales\n7", layout: layoutExample }]
    }
  ]
})
export type DocumentLayout = typeof DocumentLayout.Type

const json = HttpApiEndpoint.get("json", "/v1/documents/:id/json", {
  params: documentParams,
  query: withPageRange(tenantQuery),
  headers: tenantHeaders,
  success: DocumentLayout,
  error: problems
}).annotateMerge(
  OpenApi.annotations({
    summary: "The outline and the finished pages with their layouts",
    description:
      "As the whole document shows them: headings at their levels, running lines as `header` and `footer`. It comes as it is read, so a " +
      `long document needs a reader of streams. ${headersTell}`
  })
)

export class RenderingsApi extends HttpApiGroup.make("renderings")
  .add(markdown, html, json)
  .middleware(TenantIdentification)
  .middleware(RequestRules)
  .annotateMerge(
    OpenApi.annotations({
      title: "Renderings",
      description: "What was read in a document, as a whole, with its structure."
    })
  ) {}

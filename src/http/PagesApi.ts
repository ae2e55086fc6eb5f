import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { PageNumber, PageView } from "../domain/Page.ts"
import { TenantIdentification, tenantHeaders, tenantQuery } from "./CurrentTenant.ts"
import { documentParams } from "./DocumentsApi.ts"
import { PageList } from "./DocumentView.ts"
import { NotFound, ServiceUnavailableResponse } from "./Problems.ts"

const detail = Schema.optionalKey(
  Schema.Literal("lines").annotate({ description: "`lines` adds the lines of text with their positions." })
)

const pages = HttpApiEndpoint.get("pages", "/v1/documents/:id/pages", {
  params: documentParams,
  query: {
    ...tenantQuery,
    from: Schema.optionalKey(PageNumber.annotate({ description: "The first page; default 1." })),
    limit: Schema.optionalKey(
      Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 500 })).annotate({
        description: "1 to 500; default 50."
      })
    ),
    detail
  },
  headers: tenantHeaders,
  success: PageList,
  error: [NotFound, ServiceUnavailableResponse]
}).annotateMerge(
  OpenApi.annotations({
    summary: "The pages that have a result, in order",
    description: "While a document runs, pages may be missing between those shown, and appear later."
  })
)

const page = HttpApiEndpoint.get("page", "/v1/documents/:id/pages/:n", {
  params: { ...documentParams, n: PageNumber },
  query: { ...tenantQuery, detail },
  headers: tenantHeaders,
  success: PageView,
  error: [NotFound, ServiceUnavailableResponse]
}).annotateMerge(OpenApi.annotations({ summary: "One page" }))

const text = HttpApiEndpoint.get("text", "/v1/documents/:id/text", {
  params: documentParams,
  query: tenantQuery,
  headers: tenantHeaders,
  success: HttpApiSchema.StreamUint8Array({ contentType: "text/plain; charset=utf-8" }),
  error: [NotFound, ServiceUnavailableResponse]
}).annotateMerge(
  OpenApi.annotations({ summary: "The text of the finished pages", description: "Form feeds separate the pages." })
)

export class PagesApi extends HttpApiGroup.make("pages")
  .add(pages, page, text)
  .middleware(TenantIdentification)
  .annotateMerge(OpenApi.annotations({ title: "Pages" })) {}

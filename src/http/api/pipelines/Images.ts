import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { PageNumber } from "../../../domain/document/Page.ts"
import { leastDpi, mostDpi, thumbnail } from "../../../services/PageImages.ts"
import { TenantIdentification, tenantHeaders, tenantQuery } from "../../auth/CurrentTenant.ts"
import { documentParams } from "../Documents.ts"
import {
  NotFoundResponse,
  ServiceUnavailableResponse,
  TooManyRequestsResponse,
  UnprocessableContentResponse
} from "../problems/ProblemResponses.ts"
import { RequestRules } from "../RequestRules.ts"
import { passwordHeader } from "../schemas/SubmitOptions.ts"
import { wholeNumber } from "../schemas/WholeNumber.ts"

const format = Schema.optionalKey(
  Schema.Literals(["png", "webp"]).annotate({ description: "Of the image.", examples: ["webp"] })
)

const common = {
  params: { ...documentParams, n: wholeNumber(PageNumber) },
  headers: {
    ...tenantHeaders,
    "if-none-match": Schema.optionalKey(
      Schema.String.annotate({ description: "ETags that the caller has; 304 if one of them is this image's." })
    ),
    "x-pdf-password": passwordHeader
  },
  success: HttpApiSchema.StreamUint8Array({ contentType: ["image/png", "image/webp"] }),
  error: [NotFoundResponse, UnprocessableContentResponse, TooManyRequestsResponse, ServiceUnavailableResponse]
} as const

const problems =
  "404 `IMAGES_OFF`: the server draws no pages. 404 `FILE_PENDING`: the file has not been fetched or made yet. 422 says why this page cannot be drawn: " +
  "`PAGE_TOO_LARGE`, `PAGE_UNREADABLE`, `PASSWORD_REQUIRED` and others. 503: too many are drawn at once; `IMAGES_BUSY`: it was not drawn within a minute."

const image = HttpApiEndpoint.get("image", "/v1/documents/:id/pages/:n/image", {
  ...common,
  query: {
    ...tenantQuery,
    dpi: Schema.optionalKey(
      wholeNumber(
        Schema.Int.check(Schema.isBetween({ minimum: leastDpi, maximum: mostDpi })).annotate({
          description: `Dots per inch, ${leastDpi} to ${mostDpi}; default 150.`,
          examples: [150]
        })
      )
    ),
    format
  }
}).annotateMerge(
  OpenApi.annotations({
    summary: "A page as an image",
    description: `As it is displayed, turned as the file says; a PNG unless \`format\` says otherwise. It is drawn when it is asked for. ${problems}`
  })
)

const small = HttpApiEndpoint.get("thumbnail", "/v1/documents/:id/pages/:n/thumbnail", {
  ...common,
  query: { ...tenantQuery, format }
}).annotateMerge(
  OpenApi.annotations({
    summary: "A page as a small image",
    description: `${"width" in thumbnail.size ? thumbnail.size.width : 0} pixels wide; WebP unless \`format\` says otherwise. ${problems}`
  })
)

export class ImagesApi extends HttpApiGroup.make("images")
  .add(image, small)
  .middleware(TenantIdentification)
  .middleware(RequestRules)
  .annotateMerge(OpenApi.annotations({ title: "Images", description: "Pages as images." })) {}

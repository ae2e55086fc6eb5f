import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { PageNumber } from "../../../domain/document/Page.ts"
import { examples } from "../../../domain/Examples.ts"
import { documentIdExample } from "../../../domain/Ids.ts"
import { Artifact } from "../../../domain/pipeline/Artifact.ts"
import { StageName, StageVersion } from "../../../domain/pipeline/Pipeline.ts"
import { TenantIdentification, tenantHeaders, tenantQuery } from "../../auth/CurrentTenant.ts"
import { documentParams } from "../Documents.ts"
import { NotFoundResponse, ServiceUnavailableResponse, TooManyRequestsResponse } from "../problems/ProblemResponses.ts"
import { RequestRules } from "../RequestRules.ts"
import { wholeNumber } from "../schemas/WholeNumber.ts"

const content = Schema.optionalKey(Schema.String.annotate({ description: "Where its content is, if it is `done`." }))

const artifactExample = {
  page: 3,
  stage: "ocr",
  version: "1",
  status: "done",
  mediaType: "application/json",
  size: 18_204,
  elapsedMillis: 2_310,
  createdAt: "2026-12-01T08:00:00.000Z",
  links: { content: `/v1/documents/${documentIdExample}/pages/3/artifacts/ocr?version=1` }
} as const

export const ArtifactView = Schema.Struct({ ...Artifact.fields, links: Schema.Struct({ content }) }).pipe(
  Schema.annotate({ identifier: "ArtifactView" }),
  examples(artifactExample)
)

export const contentLink = (id: string, { page, stage, version }: Pick<Artifact, "page" | "stage" | "version">) =>
  `/v1/documents/${id}${page === undefined ? "" : `/pages/${page}`}/artifacts/${stage}?version=${version}`

export const artifactViewOf = (id: string, artifact: Artifact): typeof ArtifactView.Type => ({
  ...artifact,
  links: artifact.status === "done" ? { content: contentLink(id, artifact) } : {}
})

/** A place in the list of artifacts; `page` is absent for one of the document as a whole. */
type Place = Pick<Artifact, "page" | "stage" | "version">

export const cursorOf = ({ page, stage, version }: Place): string => `${page ?? 0}:${stage}:${version}`

const cursorPattern = /^(\d{1,9}):([a-z][a-z0-9_-]{0,62}):([A-Za-z0-9][A-Za-z0-9._-]{0,63})$/

export const placeOf = (cursor: string): Place | undefined => {
  const [, page = "0", stage, version] = cursorPattern.exec(cursor) ?? []
  if (stage === undefined || version === undefined) return undefined
  const place = { stage: StageName.make(stage), version: StageVersion.make(version) }
  return page === "0" ? place : { page: Number(page), ...place }
}

const Cursor = Schema.String.check(
  Schema.isPattern(cursorPattern, { message: "Expected the `nextCursor` of the part before" })
).annotate({ description: "`nextCursor` of the part before.", examples: ["3:ocr:1"] })

export const ArtifactList = Schema.Struct({
  artifacts: Schema.Array(ArtifactView),
  nextCursor: Schema.optionalKey(Schema.String)
}).pipe(
  Schema.annotate({ identifier: "ArtifactList" }),
  examples({ artifacts: [artifactExample], nextCursor: "3:ocr:1" })
)

const stage = StageName.annotate({ description: "Only those of this stage." })

const list = HttpApiEndpoint.get("list", "/v1/documents/:id/artifacts", {
  params: documentParams,
  query: {
    ...tenantQuery,
    stage: Schema.optionalKey(stage),
    page: Schema.optionalKey(
      wholeNumber(Schema.Natural.annotate({ description: "Only those of this page; 0: of the document as a whole." }))
    ),
    cursor: Schema.optionalKey(Cursor),
    limit: Schema.optionalKey(
      wholeNumber(
        Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 500 })).annotate({
          description: "1 to 500; default 100."
        })
      )
    )
  },
  headers: tenantHeaders,
  success: ArtifactList,
  error: [NotFoundResponse, ServiceUnavailableResponse]
}).annotateMerge(
  OpenApi.annotations({
    summary: "What stages made of a document",
    description:
      "Without contents: those of the document as a whole, then those of its pages, in order. Also while the document runs. " +
      "`skipped` and `failed` say why there is no content; a retry makes them anew."
  })
)

const contentEndpoint = {
  query: {
    ...tenantQuery,
    version: Schema.optionalKey(StageVersion.annotate({ description: "The stage's version; the newest when absent." }))
  },
  headers: {
    ...tenantHeaders,
    "if-none-match": Schema.optionalKey(
      Schema.String.annotate({ description: "ETags that the caller has; 304 if one of them is this content's." })
    )
  },
  success: HttpApiSchema.StreamUint8Array({ contentType: "application/octet-stream" }),
  error: [NotFoundResponse, TooManyRequestsResponse, ServiceUnavailableResponse]
} as const

const description =
  "The bytes that the stage made, with its media type, as a download: no browser runs or shows them. They change only when the " +
  "stage is run again; the `ETag` is that of the bytes. 404 `ARTIFACT_NOT_FOUND`: the stage has not run, was skipped, or failed, as " +
  "`detail` says."

const ofDocument = HttpApiEndpoint.get("ofDocument", "/v1/documents/:id/artifacts/:stage", {
  params: { ...documentParams, stage: StageName },
  ...contentEndpoint
}).annotateMerge(OpenApi.annotations({ summary: "What a stage made of the document as a whole", description }))

const ofPage = HttpApiEndpoint.get("ofPage", "/v1/documents/:id/pages/:n/artifacts/:stage", {
  params: { ...documentParams, n: wholeNumber(PageNumber), stage: StageName },
  ...contentEndpoint
}).annotateMerge(OpenApi.annotations({ summary: "What a stage made of one page", description }))

export class ArtifactsApi extends HttpApiGroup.make("artifacts")
  .add(list, ofDocument, ofPage)
  .middleware(TenantIdentification)
  .middleware(RequestRules)
  .annotateMerge(
    OpenApi.annotations({ title: "Artifacts", description: "What stages made of documents and pages." })
  ) {}

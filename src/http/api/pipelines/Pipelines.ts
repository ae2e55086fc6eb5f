import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { examples } from "../../../domain/Examples.ts"
import { PageSelection, PipelineName, StageKind, StageName, StageVersion } from "../../../domain/pipeline/Pipeline.ts"
import { TenantIdentification, tenantHeaders, tenantQuery } from "../../auth/CurrentTenant.ts"
import { RequestRules } from "../RequestRules.ts"

const StepView = Schema.Struct({
  stage: StageName,
  version: StageVersion,
  kind: StageKind.annotate({
    description: "What it works on: the `source` (the file as it was sent), each `page`, or the `document`."
  }),
  provides: Schema.optionalKey(
    Schema.Literals(["text", "artifact"]).annotate({
      description: "Of a page stage. `text`: what it reads becomes the text of the page."
    })
  ),
  pages: Schema.optionalKey(
    PageSelection.annotate({
      description: "Of a page stage: all pages, those that are `scanned`, or those with warnings."
    })
  ),
  optional: Schema.Boolean.annotate({ description: "Documents go on without it when it fails, with a warning." }),
  needs: Schema.Array(StageName).annotate({ description: "Earlier stages whose artifacts it reads." }),
  downstream: Schema.optionalKey(Schema.String.annotate({ description: "What it calls, if that is known." }))
})

const PipelineView = Schema.Struct({
  name: PipelineName,
  stages: Schema.Array(StepView).annotate({
    description: "In their order. The reading of pages, which every pipeline has, is not among them."
  })
})

export const PipelineList = Schema.Struct({
  default: PipelineName.annotate({ description: "Of documents that name none." }),
  pipelines: Schema.Array(PipelineView)
}).pipe(
  Schema.annotate({ identifier: "PipelineList" }),
  examples({
    default: "text",
    pipelines: [
      { name: "text", stages: [] },
      {
        name: "ocr",
        stages: [
          {
            stage: "ocr",
            version: "1",
            kind: "page",
            provides: "text",
            pages: "scanned",
            optional: false,
            needs: [],
            downstream: "ocr"
          }
        ]
      }
    ]
  })
)

const list = HttpApiEndpoint.get("list", "/v1/pipelines", {
  query: tenantQuery,
  headers: tenantHeaders,
  success: PipelineList
}).annotateMerge(
  OpenApi.annotations({
    summary: "The pipelines that documents may name",
    description: "With their stages, as `PIPELINES_FILE` declares them, and those that are built in."
  })
)

export class PipelinesApi extends HttpApiGroup.make("pipelines")
  .add(list)
  .middleware(TenantIdentification)
  .middleware(RequestRules)
  .annotateMerge(OpenApi.annotations({ title: "Pipelines", description: "The stages that documents go through." })) {}

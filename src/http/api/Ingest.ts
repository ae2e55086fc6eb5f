import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { examples } from "../../domain/Examples.ts"
import { JsonBody } from "./schemas/JsonBody.ts"
import { idempotencyHeaders } from "../upload/IdempotentAnswer.ts"
import { TenantIdentification, TenantName, tenantHeaders, tenantQuery } from "../auth/CurrentTenant.ts"
import { acceptedExample, DocumentOutcome, refusedExample } from "./views/SubmitOutcome.ts"
import { RequestTimeoutResponse, submissionProblems } from "./problems/ProblemResponses.ts"
import { submissionFields } from "./schemas/SubmitOptions.ts"
import { RequestRules } from "./RequestRules.ts"

const { callback, force, pipeline, priority } = submissionFields

export const IngestRequest = Schema.Struct({
  tenant_id: Schema.optionalKey(TenantName),
  pdf_ids: Schema.Array(Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(2048)))
    .check(Schema.isMinLength(1), Schema.isMaxLength(1000))
    .annotate({
      description:
        "Paths below the inbox folder, hashes of known blobs, http(s) URLs, or objects in buckets that are allowed: `s3://bucket/key`."
    }),
  priority,
  callback,
  force,
  pipeline
}).annotate({ examples: [{ pdf_ids: ["inbox/report.pdf", "https://example.com/scan.pdf"], priority: 7 }] })

export const IngestAnswer = Schema.Struct({
  accepted: Schema.Literal(true),
  queued_pdfs: Schema.Natural,
  documents: Schema.Array(DocumentOutcome)
}).pipe(examples({ accepted: true, queued_pdfs: 1, documents: [acceptedExample, refusedExample] }))

const ingest = HttpApiEndpoint.post("ingest", "/pdf/ingest", {
  query: tenantQuery,
  headers: { ...tenantHeaders, ...idempotencyHeaders },
  payload: IngestRequest,
  success: IngestAnswer.pipe(HttpApiSchema.status(202)),
  error: [...submissionProblems, RequestTimeoutResponse]
})
  // Room for 1000 URLs of 2048 characters that are all escaped, and the depth of a list.
  .annotate(JsonBody, { bytes: 4 * 1024 * 1024, depth: 4, values: 4000 })
  .annotateMerge(
    OpenApi.annotations({
      summary: "Submit PDFs that lie elsewhere",
      description:
        "The answer is 202 when at least one document was accepted; `documents` has the outcome of each, in the " +
        "order of `pdf_ids`. When none was, the answer is a problem with the status and code of the first refusal, " +
        "`accepted: false`, `queued_pdfs: 0` and the same list in `documents`."
    })
  )

export class IngestApi extends HttpApiGroup.make("ingest")
  .add(ingest)
  .middleware(TenantIdentification)
  .middleware(RequestRules)
  .annotateMerge(
    OpenApi.annotations({ title: "Ingest by reference", description: "PDFs that the server fetches itself." })
  ) {}

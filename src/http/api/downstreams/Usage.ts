import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { amountFields, Day, UsageBy } from "../../../domain/downstream/Usage.ts"
import { examples } from "../../../domain/Examples.ts"
import { TenantIdentification, tenantHeaders, tenantQuery } from "../../auth/CurrentTenant.ts"
import { ServiceUnavailableResponse } from "../problems/ProblemResponses.ts"
import { RequestRules } from "../RequestRules.ts"
import { wholeNumber } from "../schemas/WholeNumber.ts"

export const UsageList = Schema.Struct({
  from: Day,
  to: Day,
  by: UsageBy,
  usage: Schema.Array(
    Schema.Struct({
      key: Schema.String.annotate({
        description: "The tenant, the day (UTC), or the downstream; `worker` are the page workers."
      }),
      ...amountFields
    })
  ),
  nextCursor: Schema.optionalKey(Schema.String)
}).pipe(
  Schema.annotate({ identifier: "UsageList" }),
  examples({
    from: "2026-11-01",
    to: "2026-11-30",
    by: "downstream",
    usage: [
      {
        key: "ocr",
        calls: 1_204,
        downstreamMillis: 2_410_500,
        tokens: 187_600,
        cost: 3.75,
        pages: 0,
        workerMillis: 0
      },
      { key: "worker", calls: 0, downstreamMillis: 0, tokens: 0, cost: 0, pages: 15_210, workerMillis: 412_000 }
    ]
  })
)

const list = HttpApiEndpoint.get("list", "/v1/usage", {
  query: {
    ...tenantQuery,
    from: Schema.optionalKey(Day.annotate({ description: "The first day; that of the present month when absent." })),
    to: Schema.optionalKey(Day.annotate({ description: "The last day; today when absent." })),
    by: Schema.optionalKey(UsageBy.annotate({ description: "What is summed for each; `day` when absent." })),
    scope: Schema.optionalKey(
      Schema.Literal("all").annotate({ description: "All tenants; not for the key of a tenant." })
    ),
    cursor: Schema.optionalKey(Schema.String.annotate({ description: "`nextCursor` of the part before." })),
    limit: Schema.optionalKey(
      wholeNumber(
        Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000 })).annotate({
          description: "1 to 1,000; default 200."
        })
      )
    )
  },
  headers: tenantHeaders,
  success: UsageList,
  error: ServiceUnavailableResponse
}).annotateMerge(
  OpenApi.annotations({
    summary: "What was used: pages, workers' time, calls, time, tokens and cost of downstreams",
    description:
      "Of the tenant, or with `scope=all` of all tenants, by days of UTC. It is written every few seconds, survives restarts, and " +
      "the removal of documents."
  })
)

export class UsageApi extends HttpApiGroup.make("usage")
  .add(list)
  .middleware(TenantIdentification)
  .middleware(RequestRules)
  .annotateMerge(OpenApi.annotations({ title: "Usage", description: "What tenants used." })) {}

import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { TenantIdentification, tenantHeaders, tenantQuery } from "../auth/CurrentTenant.ts"
import { ForbiddenResponse, ServiceUnavailableResponse } from "./problems/ProblemResponses.ts"
import { RequestRules } from "./RequestRules.ts"

const WorkerView = Schema.Struct({
  pid: Schema.Natural,
  busy: Schema.Boolean,
  rssBytes: Schema.Natural.annotate({ description: "Resident memory, as measured last." }),
  pagesRead: Schema.Natural.annotate({ description: "Since the process was started." })
}).annotate({ identifier: "Worker" })

const WallView = Schema.Struct({
  name: Schema.Literals(["files", "network", "signals"]),
  stands: Schema.Boolean,
  detail: Schema.optionalKey(Schema.String.annotate({ description: "Why it is missing." }))
}).annotate({ identifier: "Wall" })

export const WorkersView = Schema.Struct({
  capacity: Schema.Natural.annotate({ description: "How many read at the same time." }),
  ready: Schema.Natural.annotate({
    description: "How many of these need no start or replacement first."
  }),
  replaced: Schema.Natural.annotate({
    description: "After a death, a kill or too much memory, since the server's start."
  }),
  unavailable: Schema.optionalKey(
    Schema.String.annotate({ description: "Why no worker is available, while that is so; nothing is read then." })
  ),
  walls: Schema.optionalKey(
    Schema.Array(WallView).annotate({ description: "What a worker that reads a hostile file cannot reach." })
  ),
  workers: Schema.Array(WorkerView).annotate({ description: "The processes; one more than `capacity` is kept warm." })
}).annotate({
  identifier: "Workers",
  examples: [
    {
      capacity: 2,
      ready: 2,
      replaced: 0,
      walls: [
        { name: "files", stands: true },
        { name: "network", stands: true },
        { name: "signals", stands: true }
      ],
      workers: [
        { pid: 4_121, busy: true, rssBytes: 214_528_000, pagesRead: 812 },
        { pid: 4_122, busy: false, rssBytes: 198_144_000, pagesRead: 655 },
        { pid: 4_130, busy: false, rssBytes: 183_500_800, pagesRead: 0 }
      ]
    }
  ]
})

const RunnerView = Schema.Struct({
  id: Schema.String,
  name: Schema.String.annotate({
    description: "The address by which other runners reach it; `local` without a cluster."
  }),
  role: Schema.Literals(["all", "api", "runner"]),
  version: Schema.optionalKey(Schema.String.annotate({ description: "Of its release; absent outside a cluster." })),
  startedAt: Schema.Number.annotate({ description: "Milliseconds since 1970, by the clock of its machine." }),
  shards: Schema.optionalKey(
    Schema.Natural.annotate({ description: "How many parts of all tenants it has; absent without a cluster." })
  ),
  tenants: Schema.Natural.annotate({ description: "Tenants whose documents it runs, or ran a short time ago." }),
  documents: Schema.Natural.annotate({ description: "Documents that run there." }),
  permits: Schema.Natural.annotate({ description: "Documents that may run there at once." }),
  workers: Schema.Natural.annotate({ description: "Page workers that are alive there." }),
  capacity: Schema.Natural.annotate({ description: "How many of them read at the same time." })
}).annotate({ identifier: "Runner" })

export const RunnersView = Schema.Struct({
  runners: Schema.Array(RunnerView).annotate({ description: "The one that answers comes first." })
}).annotate({
  identifier: "Runners",
  examples: [
    {
      runners: [
        {
          id: "01900000-0000-7000-8000-0000000000a1",
          name: "10.0.0.7:34431",
          role: "all",
          version: "0.1.0",
          startedAt: 1_796_040_000_000,
          shards: 48,
          tenants: 12,
          documents: 5,
          permits: 8,
          workers: 5,
          capacity: 4
        }
      ]
    }
  ]
})

const runners = HttpApiEndpoint.get("runners", "/v1/runners", {
  query: tenantQuery,
  headers: tenantHeaders,
  success: RunnersView,
  error: [ForbiddenResponse, ServiceUnavailableResponse]
}).annotateMerge(
  OpenApi.annotations({
    summary: "The processes of the engine, and what each has",
    description:
      "One, or all that belong to the cluster. Those that have been silent for six seconds are left out. If API keys are turned on, only " +
      "the administrator's key may see them."
  })
)

const list = HttpApiEndpoint.get("list", "/v1/workers", {
  query: tenantQuery,
  headers: tenantHeaders,
  success: WorkersView,
  error: ForbiddenResponse
}).annotateMerge(
  OpenApi.annotations({
    summary: "The processes that read pages",
    description: "All tenants share them, so if API keys are turned on, only the administrator's key may see them."
  })
)

export class WorkersApi extends HttpApiGroup.make("workers")
  .add(list, runners)
  .middleware(TenantIdentification)
  .middleware(RequestRules)
  .annotateMerge(OpenApi.annotations({ title: "Workers", description: "The processes that read PDFs." })) {}

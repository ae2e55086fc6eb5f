import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { TenantIdentification, tenantHeaders, tenantQuery } from "../auth/CurrentTenant.ts"
import { ForbiddenResponse } from "./problems/ProblemResponses.ts"
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
  .add(list)
  .middleware(TenantIdentification)
  .middleware(RequestRules)
  .annotateMerge(OpenApi.annotations({ title: "Workers", description: "The processes that read PDFs." })) {}

import { Schema } from "effect"
import { examples } from "../Examples.ts"
import { TenantId } from "../Ids.ts"
import { TenantLimits } from "./TenantLimits.ts"

const Share = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }))

/** The limits, use and received share of one tenant. */
export const TenantState = Schema.Struct({
  tenantId: TenantId,
  paused: Schema.Boolean,
  limits: Schema.Struct({
    ...TenantLimits.fields,
    burst: Schema.optional(
      TenantLimits.fields.burst.annotate({
        description: "Documents accepted at once before `rate` counts; nothing while there is no rate."
      })
    )
  }),
  /** Documents that wait, including scheduled ones. */
  backlog: Schema.Natural,
  running: Schema.Natural,
  storedBytes: Schema.Natural.annotate({
    description: "Bytes kept of its documents: originals, also where documents share one, metadata and what pages say."
  }),
  /** Age of the oldest queued document. */
  oldestSeconds: Schema.optionalKey(Schema.Finite),
  share: Schema.Struct({
    entitled: Share.annotate({ description: "By weight, among the tenants that had work in the last minute." }),
    received1m: Share.annotate({ description: "Of the worker time used in the last minute." }),
    received15m: Share.annotate({ description: "Of the worker time used in the last 15 minutes." })
  }),
  noisy: Schema.Boolean.annotate({
    description: "More than a minute of its work waits while other tenants have work, too."
  }),
  fairness: Share.annotate({
    description:
      "Jain's index over all tenants that had work in the last minute, of the time received by the time entitled to; 1 is fair."
  })
}).pipe(
  Schema.annotate({ identifier: "TenantState" }),
  examples({
    tenantId: "acme",
    paused: false,
    limits: { documents: 2, weight: 1, backlog: 10_000, pages: 6, rate: 5, burst: 20 },
    backlog: 17,
    running: 2,
    storedBytes: 73_400_320,
    oldestSeconds: 4.2,
    share: { entitled: 0.5, received1m: 0.48, received15m: 0.51 },
    noisy: false,
    fairness: 0.99
  })
)
export interface TenantState extends Schema.Schema.Type<typeof TenantState> {}

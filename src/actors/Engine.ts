import { Layer } from "effect"
import * as BlobSweeper from "./BlobSweeper.ts"
import { Drain } from "./Drain.ts"
import * as IngestionEngine from "./IngestionEngine.ts"
import * as LeaseKeeper from "./LeaseKeeper.ts"
import { PageScheduler } from "./PageScheduler.ts"
import * as RetentionSweeper from "./RetentionSweeper.ts"
import { Retries } from "./Retries.ts"
import { Runner } from "./Runner.ts"
import { Submissions } from "./Submissions.ts"
import * as Sweeper from "./Sweeper.ts"
import { TenantDirectory } from "./TenantDirectory.ts"

/**
 * The whole engine over its services: the actors, and the loops that keep them honest. Releasing it drains first, then stops
 * the loops, then the tenants with whatever documents still run, which go back to their queues with their finished pages.
 */
export const layer = Drain.layer.pipe(
  Layer.provideMerge(
    Layer.mergeAll(IngestionEngine.layer, Sweeper.layer, LeaseKeeper.layer, BlobSweeper.layer, RetentionSweeper.layer)
  ),
  Layer.provideMerge(TenantDirectory.layer),
  Layer.provideMerge(Submissions.layer),
  Layer.provide([Runner.layer, PageScheduler.layer, Retries.layer])
)

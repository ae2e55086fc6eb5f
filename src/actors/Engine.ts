import { Layer } from "effect"
import * as BlobSweeper from "./BlobSweeper.ts"
import * as IngestionEngine from "./IngestionEngine.ts"
import * as LeaseKeeper from "./LeaseKeeper.ts"
import { PageScheduler } from "./PageScheduler.ts"
import { Runner } from "./Runner.ts"
import { Submissions } from "./Submissions.ts"
import * as Sweeper from "./Sweeper.ts"
import { TenantDirectory } from "./TenantDirectory.ts"

/**
 * The whole engine over its services: the actors, and the loops that keep them honest. Releasing it stops the intake
 * first, then the loops, then the tenants with their documents, which go back to their queues with their finished pages.
 */
export const layer = Layer.mergeAll(IngestionEngine.layer, Sweeper.layer, LeaseKeeper.layer, BlobSweeper.layer).pipe(
  Layer.provideMerge(Submissions.layer),
  Layer.provideMerge(TenantDirectory.layer),
  Layer.provide([Runner.layer, PageScheduler.layer])
)

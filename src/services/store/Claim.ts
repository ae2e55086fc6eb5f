import type { Duration } from "effect"
import type { Document } from "../../domain/document/Document.ts"
import type { RunnerId } from "../../domain/Ids.ts"
import type { StageCounts } from "./Artifacts.ts"
import type { Fence } from "./Fence.ts"

/** For how long, from now on by the store's clock, the runner may hold what it claims or renews. */
export interface LeaseRequest {
  readonly runner: RunnerId
  readonly lease: Duration.Duration
}

/** A document handed to a runner, with the results of earlier attempts. */
export interface Claim {
  readonly fence: Fence
  readonly document: Document
  readonly sealedPassword: string | undefined
  /** Numbers of the pages that have a result. */
  readonly donePages: ReadonlySet<number>
  /** Faults that earlier runs recorded for pages without a result. */
  readonly faults: ReadonlyMap<number, PageFaults>
  /** What earlier runs have made of the document. Not looked for if it names no pipeline, or has not run before. */
  readonly artifacts: ReadonlyArray<StageCounts>
}

/** How often reading the page failed, and how often it ended its worker. */
export interface PageFaults {
  readonly failures: number
  readonly deaths: number
}

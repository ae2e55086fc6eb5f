/** Figures of queues. */
import type { DocumentId, TenantId } from "../../domain/Ids.ts"

export interface QueueCounters {
  /** Scheduled and queued documents. */
  readonly waiting: number
  /** Documents under a lease. */
  readonly running: number
  /** Highest `waiting` and `running` ever seen. */
  readonly maxWaiting: number
  readonly maxRunning: number
  /** Documents that ended `completed`, `partial` or `failed`, and of those the `failed` ones, since the store exists. */
  readonly processed: number
  readonly failed: number
  /**
   * Bytes kept: of every document its original (also where documents share one), its metadata, and the results of its pages.
   */
  readonly storedBytes: number
}

/** A document that runs, or has run and waits again. */
export interface UnderWay {
  readonly tenant: TenantId
  readonly id: DocumentId
  readonly running: boolean
  /** Pages that have no result yet; unknown until the file was opened. */
  readonly pages: number | undefined
}

/** Queued documents of the same tenant that are claimed before another one. */
export interface Ahead {
  readonly documents: number
  /** Pages without a result, of the documents that were opened. */
  readonly pages: number
  /** Documents that were not opened yet. */
  readonly unopened: number
}

/** Ends of documents that are not yet delivered to their receivers. */
export interface Owed {
  readonly deliveries: number
  /** When the oldest of these documents ended, in milliseconds since the epoch. */
  readonly since: number | undefined
}

/** The most documents that one query of a queue reads, so that a deep backlog costs no more time. */
export const queueScanLimit = 10_000

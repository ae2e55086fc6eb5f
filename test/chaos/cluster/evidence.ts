// What an audit of a run judges by. All of it is plain data, so that a test can plant a violation into it.
import type { Upload } from "../workload.ts"
import type { ShownDocument, ShownPage } from "../results.ts"
import type { Recorded } from "./record.ts"
import type { Reading } from "./runners.ts"
import type { TroubleName } from "./troubles.ts"

/** A document as a runner shows it at the end. */
export interface Shown {
  readonly document: ShownDocument
  readonly pages: ReadonlyArray<ShownPage>
}

/** When a trouble began and ended, in milliseconds since the epoch. */
export interface TroubleTime {
  readonly name: TroubleName
  readonly runner: string | undefined
  readonly at: number
  readonly until: number
  /** No other trouble lasted at any time of it. */
  readonly alone: boolean
}

export interface Evidence {
  readonly attempted: ReadonlyMap<string, Upload>
  /** By the id of the document. */
  readonly acknowledged: ReadonlyMap<string, Upload>
  readonly shown: ReadonlyArray<Shown>
  readonly recorded: Recorded
  readonly readings: ReadonlyArray<Reading>
  readonly troubles: ReadonlyArray<TroubleTime>
  /** Whether no further work was done, and documents were still waiting or running. */
  readonly counters: { readonly waiting: number; readonly running: number }
  readonly wrongAnswers: ReadonlyArray<string>
  readonly wrongEnds: ReadonlyArray<string>
  readonly orphans: ReadonlyArray<string>
  readonly missingOriginals: ReadonlyArray<string>
  readonly sentAgain: number
  readonly failedStarts: number
}

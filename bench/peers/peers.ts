// Sluice side by side with the stacks a team would otherwise put together: the benches by name.
import { Effect } from "effect"
import { prosePdf } from "../material.ts"
import { accepting } from "./accepting.ts"
import { largeFile, smallFiles } from "./reading.ts"
import type { PeersResult } from "./rounds.ts"
import { defaultTuning, type Tuning } from "./subjects.ts"

export interface PeersOptions {
  readonly rounds: number
  /** Of the one large file; a thousand pages of prose when absent. */
  readonly pdf?: Uint8Array | undefined
  /** Of the many small ones. */
  readonly files?: number
  /** Of one round of accepts. */
  readonly seconds?: number
  readonly connections?: number
  readonly tuning?: Tuning
}

export const peersBenches = ({
  connections = 64,
  files = 300,
  pdf,
  rounds,
  seconds = 5,
  tuning = defaultTuning
}: PeersOptions) => ({
  large: Effect.suspend(() => largeFile(pdf ?? prosePdf(1000, 0), rounds, tuning)),
  small: smallFiles(files, rounds, tuning),
  accepts: accepting(connections, seconds, rounds, tuning)
})

/** All of them in turn. */
export const peers = (options: PeersOptions): Effect.Effect<ReadonlyArray<PeersResult>, unknown> =>
  Effect.all(Object.values<Effect.Effect<PeersResult, unknown>>(peersBenches(options)))

import type { Pool } from "../../services/pools/Pools.ts"
import type { GlobalPermit } from "../gates/Preemption.ts"
import type { Place } from "./FairQueue.ts"

/** A request for a turn: to open a document, or to read a range of its pages under its permit. */
export interface Turn extends Place {
  readonly estimatedMillis: number
  /** Goes before the turns of all tenants that were not idle. */
  readonly isNewcomer?: boolean
  /** Once the permit is requested for another tenant, turns that are not begun are refused. */
  readonly permit?: GlobalPermit
  /** The document, and the worker time that all its unread pages are likely to take. */
  readonly document?: { readonly key: string; readonly millisLeft: number }
}

/** A request for a turn that waits, or a turn that was given. */
export interface Ticket {
  /** The request is withdrawn, if it still waits. */
  readonly withdraw: () => void
  /** The turn has ended after so much worker time. */
  readonly end: (usedMillis: number) => void
}

/** Where turns come from: the workers of this process alone, or those of all runners. Without effects. */
export interface TurnSource {
  /** How many turns a document should ask for at once, at present. */
  readonly turns: () => number
  /** Milliseconds that a turn should take. */
  readonly turnMillis: () => number
  /** `give` is called once, perhaps at once, when a worker is ready. Without a pool the worker is one of this process. */
  readonly ask: (turn: Turn, give: (pool: Pool | undefined) => void) => Ticket
  /** Gives every request its turn, which is void. */
  readonly close: () => void
}

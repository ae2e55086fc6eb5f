import { Schema } from "effect"

/**
 * What holds a document up. `tenant`: its tenant has as many documents open as it may. `global`: the engine has, or is about
 * to take it. `page`: it is being read. `schedule`: its `notBefore`. `retry`: something that failed for the moment is waited
 * for, and tried again. `paused`: its tenant, though its time has come.
 */
export const WaitingGate = Schema.Literals(["tenant", "global", "page", "schedule", "retry", "paused"])
export type WaitingGate = typeof WaitingGate.Type

/** Why a document has not ended, and until when that lasts. */
export const Waiting = Schema.Struct({
  gate: WaitingGate,
  position: Schema.optionalKey(
    Schema.Natural.annotate({
      description:
        "Place among the queued documents of the tenant, without those being read; 1 is next. Beyond 10,000 it is not counted on."
    })
  ),
  pagesAhead: Schema.optionalKey(
    Schema.Natural.annotate({
      description: "Pages of the queued documents before it; estimated where a file was not opened yet."
    })
  ),
  eta: Schema.optionalKey(
    Schema.Struct({ low: Schema.DateTimeUtcFromString, high: Schema.DateTimeUtcFromString }).annotate({
      description:
        "When the document will probably have ended: `low` if nobody else comes, `high` if all who have work keep having it. " +
        "Absent while the tenant is paused and the document has not been started: nobody knows for how long."
    })
  )
}).annotate({ description: "Why the document has not ended, and until when. Absent once it has." })
export interface Waiting extends Schema.Schema.Type<typeof Waiting> {}

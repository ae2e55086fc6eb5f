import { Schema } from "effect"

/**
 * What a document waits for. `tenant`: its tenant has as many documents open as it may. `global`: the engine has as many open as
 * it may, or is about to claim the document. `page`: its pages are being read. `schedule`: its `notBefore`. `retry`: the next
 * attempt after a temporary failure. `paused`: it is due, but its tenant is paused. `downstream:<name>`: its stages wait for
 * their turn at a downstream.
 */
export const WaitingGate = Schema.Union([
  Schema.Literals(["tenant", "global", "page", "schedule", "retry", "paused"]),
  Schema.TemplateLiteral(["downstream:", Schema.String])
])
export type WaitingGate = typeof WaitingGate.Type

/** Why a document has not ended, and when it will probably have. */
export const Waiting = Schema.Struct({
  gate: WaitingGate,
  position: Schema.optionalKey(
    Schema.Natural.annotate({
      description:
        "Place among the queued documents of the tenant, without those being read; 1 is next. Counting stops at 10,000."
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
        "When the document will probably have ended: `low` if no further work comes, `high` if every tenant with work keeps having work. " +
        "Absent while the tenant is paused and the document has not been started, since the end of the pause is not known."
    })
  )
}).annotate({ description: "Why the document has not ended, and until when. Absent once it has." })
export interface Waiting extends Schema.Schema.Type<typeof Waiting> {}

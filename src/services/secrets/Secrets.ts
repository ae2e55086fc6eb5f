import type { Effect, Redacted } from "effect"
import { Context, Schema } from "effect"

/** The sealed text was not made with this key, or was changed. */
export class SealBroken extends Schema.TaggedError<SealBroken>()("SealBroken", {}) {
  override get message() {
    return "a sealed secret cannot be opened with the present key"
  }
}

/** Keeps document passwords unreadable at rest. */
export class Secrets extends Context.Service<
  Secrets,
  {
    readonly seal: (secret: Redacted.Redacted) => Effect.Effect<string>
    /** Distinguishes secrets without storing them: equal for equal secrets of the same context, and useless without the key. */
    readonly fingerprint: (secret: Redacted.Redacted, context: string) => Effect.Effect<string>
    readonly open: (sealed: string) => Effect.Effect<Redacted.Redacted, SealBroken>
  }
>()("sluice/services/Secrets") {}

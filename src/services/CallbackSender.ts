import type { Effect } from "effect"
import { Context, Schema } from "effect"

/** The receiver will never take it: its address is not public, its URL is none, or it said no. */
export class CallbackRefused extends Schema.TaggedError<CallbackRefused>()("CallbackRefused", {
  detail: Schema.String
}) {
  override get message() {
    return `the callback is refused: ${this.detail}`
  }
}

/** The receiver did not take it this time. */
export class CallbackFailed extends Schema.TaggedError<CallbackFailed>()("CallbackFailed", {
  detail: Schema.String,
  /** There was no answer at all, so whatever else goes to this host now fails the same way. */
  unreachable: Schema.Boolean
}) {
  override get message() {
    return `the callback failed: ${this.detail}`
  }
}

/** Posts JSON to a URL that a tenant named. Bounded by a deadline; what the receiver answers is of no interest. */
export class CallbackSender extends Context.Service<
  CallbackSender,
  {
    readonly send: (
      url: string,
      body: string,
      headers: Readonly<Record<string, string>>
    ) => Effect.Effect<void, CallbackRefused | CallbackFailed>
  }
>()("sluice/services/CallbackSender") {}

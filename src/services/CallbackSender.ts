import type { Effect } from "effect"
import { Context, Schema } from "effect"

/** Nothing was sent: the URL is none, or its host is not public. */
export class CallbackRefused extends Schema.TaggedError<CallbackRefused>()("CallbackRefused", {
  detail: Schema.String,
  /** The host is a name, which may lead elsewhere the next time. */
  mayChange: Schema.optionalKey(Schema.Boolean)
}) {
  override get message() {
    return `the callback is refused: ${this.detail}`
  }
}

/** There was no answer. Whatever else goes to this host now fails the same way. */
export class CallbackFailed extends Schema.TaggedError<CallbackFailed>()("CallbackFailed", {
  detail: Schema.String
}) {
  override get message() {
    return `the callback failed: ${this.detail}`
  }
}

export interface CallbackAnswer {
  readonly status: number
  /** The header as it came. */
  readonly retryAfter: string | undefined
}

/**
 * Posts JSON to a URL that a tenant named, and follows no redirect. Bounded by a deadline; of the answer only the head is
 * read. Errors name the host and nothing else of the URL.
 */
export class CallbackSender extends Context.Service<
  CallbackSender,
  {
    readonly send: (
      url: string,
      body: string,
      headers: Readonly<Record<string, string>>
    ) => Effect.Effect<CallbackAnswer, CallbackRefused | CallbackFailed>
  }
>()("sluice/services/CallbackSender") {}

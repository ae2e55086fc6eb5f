import { Schema } from "effect"

/** A data folder cannot be moved, or not any further, and what to do about it. What was moved already stays. */
export class MoveRefused extends Schema.TaggedError<MoveRefused>()("MoveRefused", { detail: Schema.String }) {
  override get message() {
    return this.detail
  }
}

import { Effect } from "effect"
import { type Failure, failure } from "../domain/Failure.ts"

const signature = "%PDF-"

/** Refuses what is plainly no PDF, by its first bytes. Readers accept junk before the header, so it may stand anywhere in them. */
export const refuseUnlessPdf = (head: Uint8Array): Effect.Effect<void, Failure> => {
  if (head.length === 0) return Effect.fail(failure("NOT_PDF", "the file is empty"))
  return Buffer.from(head).includes(signature)
    ? Effect.void
    : Effect.fail(failure("NOT_PDF", `there is no ${signature} header in the first ${head.length} bytes`))
}

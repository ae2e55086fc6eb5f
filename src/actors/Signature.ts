import { Cause, Effect, Pull, Stream } from "effect"
import { type Failure, failure } from "../domain/Failure.ts"

const signature = "%PDF-"
/** The first bytes, among which the signature has to stand. */
const headBytes = 1024

/** Refuses what is plainly no PDF, by its first bytes. Readers accept junk before the header, so it may stand anywhere in them. */
const refuseUnlessPdf = (head: Buffer): Effect.Effect<void, Failure> => {
  if (head.length === 0) return Effect.fail(failure("NOT_PDF", "the file is empty"))
  return head.includes(signature)
    ? Effect.void
    : Effect.fail(failure("NOT_PDF", `there is no ${signature} header in the first ${head.length} bytes`))
}

/** The same bytes; the stream fails as soon as the first of them, or its end, show that it is no PDF. So none is ever stored. */
export const onlyPdf = <E, R, E2>(
  bytes: Stream.Stream<Uint8Array, E, R>,
  refused: (reason: Failure) => E2
): Stream.Stream<Uint8Array, E | E2, R> =>
  Stream.transformPull(bytes, (pull) =>
    Effect.sync(() => {
      const head = Buffer.alloc(headBytes)
      let seen = 0
      const check = Effect.suspend(() => Effect.mapError(refuseUnlessPdf(head.subarray(0, seen)), refused))
      const checkFirst = Effect.tap(pull, (chunks) => {
        if (seen === headBytes) return Effect.void
        for (const chunk of chunks) {
          const part = chunk.subarray(0, headBytes - seen)
          head.set(part, seen)
          seen += part.length
        }
        return seen === headBytes ? check : Effect.void
      })
      return Pull.catchDone(checkFirst, () => Effect.andThen(seen < headBytes ? check : Effect.void, Cause.done()))
    })
  )

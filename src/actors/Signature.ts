import { Effect, Stream } from "effect"
import { type Failure, failure } from "../domain/Failure.ts"

const signature = "%PDF-"
/** The first bytes, among which the signature has to stand. */
const headBytes = 1024

/** Refuses what is plainly no PDF, by its first bytes. Readers accept junk before the header, so it may stand anywhere in them. */
const refuseUnlessPdf = (head: Uint8Array): Effect.Effect<void, Failure> => {
  if (head.length === 0) return Effect.fail(failure("NOT_PDF", "the file is empty"))
  return Buffer.from(head).includes(signature)
    ? Effect.void
    : Effect.fail(failure("NOT_PDF", `there is no ${signature} header in the first ${head.length} bytes`))
}

/** The same bytes; the stream fails as soon as the first of them, or its end, show that it is no PDF. So none is ever stored. */
export const onlyPdf = <E, R, E2>(
  bytes: Stream.Stream<Uint8Array, E, R>,
  refused: (reason: Failure) => E2
): Stream.Stream<Uint8Array, E | E2, R> =>
  Stream.suspend(() => {
    const head = new Uint8Array(headBytes)
    let seen = 0
    const check = Effect.suspend(() => Effect.mapError(refuseUnlessPdf(head.subarray(0, seen)), refused))
    const checked = Stream.tap(bytes, (chunk) => {
      if (seen === headBytes) return Effect.void
      const part = chunk.subarray(0, headBytes - seen)
      head.set(part, seen)
      seen += part.length
      return seen === headBytes ? check : Effect.void
    })
    const checkShort = Effect.suspend(() => (seen < headBytes ? check : Effect.void))
    return Stream.concat(checked, Stream.fromEffectDrain(checkShort))
  })

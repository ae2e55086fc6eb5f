import { Cause, Effect, Pull, Stream } from "effect"
import { type Failure, failure } from "../../domain/Failure.ts"
import type { Pipeline } from "../../services/pipelines/Pipelines.ts"

const signature = "%PDF-"
/** The signature has to be within the first bytes of the file. */
export const headBytes = 1024

/** Whether the first bytes of a file have the signature of a PDF. It may follow junk, which PDF readers accept. */
export const isPdf = (head: Uint8Array): boolean => Buffer.from(head.subarray(0, headBytes)).includes(signature)

/** Decides by the first bytes of a file. */
export type Accepts = (head: Buffer) => Effect.Effect<void, Failure>

/** Refuses a file without the PDF signature in its first bytes. */
const refuseUnlessPdf: Accepts = (head) => {
  if (head.length === 0) return Effect.fail(failure("NOT_PDF", "the file is empty"))
  return isPdf(head)
    ? Effect.void
    : Effect.fail(failure("NOT_PDF", `there is no ${signature} header in the first ${head.length} bytes`))
}

/** What a pipeline takes: a PDF, and what its source stage makes a PDF of. */
export const acceptedBy = (source: Pipeline["source"], name: string): Accepts =>
  source === undefined
    ? refuseUnlessPdf
    : (head) =>
        head.length > 0 && (isPdf(head) || source.stage.accepts(head, name))
          ? Effect.void
          : Effect.fail(
              failure(
                "FORMAT_UNSUPPORTED",
                `the file is no PDF, and the stage ${source.stage.name} takes no file like this one`
              )
            )

/**
 * Passes the bytes on. The stream fails as soon as its first bytes, or its end, show that it is not accepted, so such a file is
 * never stored. `arrived` is called with the number of bytes first, and may refuse them for another reason.
 */
export const onlyAccepted = <E, R, E2, E3 = never>(
  bytes: Stream.Stream<Uint8Array, E, R>,
  accepts: Accepts,
  refused: (reason: Failure) => E2,
  arrived: (bytes: number) => Effect.Effect<void, E3> = () => Effect.void
): Stream.Stream<Uint8Array, E | E2 | E3, R> =>
  Stream.transformPull(bytes, (pull) =>
    Effect.sync(() => {
      let head: Buffer | undefined
      const check = Effect.suspend(() => Effect.mapError(accepts(head ?? Buffer.of()), refused))
      const isWhole = () => head?.length === headBytes
      const checkFirst = Effect.tap(pull, (chunks) => {
        const wasWhole = isWhole()
        let length = 0
        for (const chunk of chunks) {
          length += chunk.length
          if (isWhole()) continue
          // A copy, because the producer of the chunk may reuse its memory.
          const part = Buffer.from(chunk.subarray(0, headBytes - (head?.length ?? 0)))
          head = head === undefined ? part : Buffer.concat([head, part])
        }
        const counted = arrived(length)
        return isWhole() && !wasWhole ? Effect.andThen(counted, check) : counted
      })
      return Pull.catchDone(checkFirst, () => Effect.andThen(isWhole() ? Effect.void : check, Cause.done()))
    })
  )

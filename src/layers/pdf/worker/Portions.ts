// The bytes of a document that come to a page worker in portions.
import { Deferred, Effect } from "effect"
import { failure, type Failure } from "../../../domain/Failure.ts"
import { PdfUnreadable } from "../../../services/PdfEngine.ts"
import { isMemoryError } from "../pdfjs/MemoryError.ts"

export interface Portions {
  /** All of the bytes, once they are there. */
  readonly bytes: Effect.Effect<Uint8Array, PdfUnreadable>
  readonly add: (portion: Uint8Array) => void
  readonly cutOff: (reason: Failure) => void
}

const tooLarge = failure("RESOURCE_LIMIT", "The file is too large to be read at once.")

/** Takes the memory for them at once: a file that is too large is refused before it is sent. */
export const awaitPortions = (size: number): Portions => {
  const whole = Deferred.makeUnsafe<Uint8Array, PdfUnreadable>()
  let into: Uint8Array | undefined
  let at = 0
  const cutOff = (reason: Failure): void => {
    into = undefined
    Deferred.doneUnsafe(whole, Effect.fail(new PdfUnreadable({ failure: reason })))
  }
  const finish = (): void => {
    if (into !== undefined && at === size) Deferred.doneUnsafe(whole, Effect.succeed(into))
  }
  try {
    into = new Uint8Array(size)
  } catch (cause) {
    if (!(cause instanceof RangeError) && !isMemoryError(cause)) throw cause
    cutOff(tooLarge)
  }
  finish()
  return {
    bytes: Deferred.await(whole),
    add: (portion) => {
      into?.set(portion, at)
      at += portion.length
      finish()
    },
    cutOff
  }
}

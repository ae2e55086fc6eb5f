// When an allocation fails, pdf.js goes on without the object that needed it, and reports it on the console only.
import type { Scope } from "effect"
import { Effect } from "effect"
import { isMemoryError } from "./MemoryError.ts"

const fromPdfjs = /^(?:Warning|Info): /

let listeners = 0
let memoryFailures = 0
let print = { warn: console.warn, info: console.info }

const listen =
  (original: (...parts: ReadonlyArray<unknown>) => void) =>
  (...parts: ReadonlyArray<unknown>): void => {
    const message = parts[0]
    if (typeof message !== "string" || !fromPdfjs.test(message)) {
      original(...parts)
    } else if (isMemoryError({ message })) {
      memoryFailures++
    }
  }

/** Until the scope ends, what pdf.js writes to the console is checked instead of printed; all other output is printed. */
export const listenToPdfjs: Effect.Effect<void, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => {
    if (listeners++ > 0) return
    print = { warn: console.warn, info: console.info }
    console.warn = listen(print.warn)
    console.info = listen(print.info)
  }),
  () =>
    Effect.sync(() => {
      if (--listeners > 0) return
      console.warn = print.warn
      console.info = print.info
    })
)

/** The number of allocations so far that have failed and that pdf.js went on without. */
export const memoryFailuresSoFar = Effect.sync(() => memoryFailures)

// What a page worker wrote to its standard error, from which the reason of its death is known.
import type { Readable } from "node:stream"
import { WorkerDied } from "../../../services/PdfEngine.ts"

const keptCharacters = 4_096
/** A worker that writes more is killed: a sound one does not. */
const mostBytes = 1024 * 1024

/** V8 ends the process in several ways when it cannot get memory, and leaves its reason only in words. */
const memoryDeath = /heap|out of memory|allocation failed|bad_alloc|cannot allocate|committing semi space/i

/** Warnings of pdf.js about missing functions for drawing. */
const isWarning = /^Warning: /

export interface LastWords {
  /** `how` is how the process ended. */
  readonly reason: (how: string) => WorkerDied
}

export const hearLastWords = (stderr: Readable, onTooMuch: () => void): LastWords => {
  let said = ""
  let bytes = 0
  stderr.on("data", (chunk: Buffer) => {
    bytes += chunk.length
    // The beginning names the reason; what follows is a stack.
    if (said.length < keptCharacters) said = (said + chunk.toString("latin1")).slice(0, keptCharacters)
    if (bytes > mostBytes) onTooMuch()
  })
  return {
    reason: (how) => {
      const lines = said.split("\n").filter((line) => !isWarning.test(line))
      const word = (lines.find((line) => /fatal|out of memory|error:/i.test(line)) ?? lines.join("\n")).trim()
      const detail = word === "" ? how : `${how}: ${word.slice(0, 300)}`
      return new WorkerDied({ memory: memoryDeath.test(said), detail })
    }
  }
}

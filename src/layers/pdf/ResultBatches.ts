// Page results on their way out of a page worker. Small ones that are ready within a few milliseconds of each other travel
// together, since the engine's process pays for each message. The first of them goes at once, because the timer does not
// run while a page spins; the last ones never wait: they go with the end of the call.
import type { PageResult } from "../../domain/Page.ts"

const maxDelayMillis = 25
const maxCharacters = 128 * 1024

export interface ResultBatches {
  readonly add: (result: PageResult) => void
  readonly flush: () => void
  /** Those that have not been sent, and will not be. */
  readonly take: () => ReadonlyArray<PageResult>
}

export const makeResultBatches = (send: (results: ReadonlyArray<PageResult>) => void): ResultBatches => {
  let results: Array<PageResult> = []
  let characters = 0
  let timer: NodeJS.Timeout | undefined
  let lastFlush = Number.NEGATIVE_INFINITY

  const take = (): ReadonlyArray<PageResult> => {
    clearTimeout(timer)
    timer = undefined
    const batch = results
    results = []
    characters = 0
    return batch
  }

  const flush = (): void => {
    const batch = take()
    if (batch.length === 0) return
    lastFlush = performance.now()
    send(batch)
  }

  const add = (result: PageResult): void => {
    results.push(result)
    characters += result.text.length + result.lines.length
    if (characters >= maxCharacters || performance.now() - lastFlush >= maxDelayMillis) flush()
    else timer ??= setTimeout(flush, maxDelayMillis)
  }

  return { add, flush, take }
}

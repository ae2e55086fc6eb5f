// Page results on their way out of a page worker. Small ones that are ready soon after each other travel together, since the
// engine's process pays for each message, and the last ones never wait: they go with the end of the call. The timer does not
// run while a page spins, so what is done shortly before that may be lost with the worker.
import type { PageResult } from "../../../domain/document/Page.ts"

const maxDelayMillis = 50
const maxCharacters = 512 * 1024

export interface ResultBatches {
  readonly add: (result: PageResult) => void
  readonly flush: () => void
  /** Takes the results that were not sent; they are not sent any more. */
  readonly take: () => ReadonlyArray<PageResult>
}

export const makeResultBatches = (
  send: (results: ReadonlyArray<PageResult>) => void,
  /** Whether the first one goes at once, alone. */
  firstAtOnce: boolean
): ResultBatches => {
  let results: Array<PageResult> = []
  let characters = 0
  let timer: NodeJS.Timeout | undefined
  let lastFlush = firstAtOnce ? Number.NEGATIVE_INFINITY : performance.now()

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
    characters += result.text.length + result.lines.length + (result.layout?.length ?? 0)
    if (characters >= maxCharacters || performance.now() - lastFlush >= maxDelayMillis) flush()
    else timer ??= setTimeout(flush, maxDelayMillis)
  }

  return { add, flush, take }
}

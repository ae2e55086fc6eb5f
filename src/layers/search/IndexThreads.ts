// The two threads of the index, and what is done when one of them finds the file damaged.
import { Effect, Semaphore } from "effect"
import { SearchUnavailable } from "../../services/search/SearchIndex.ts"
import { makeThread } from "../threads/Thread.ts"
import { damaged, type IndexCall, type IndexThreadData } from "./IndexMessages.ts"

const heapMegabytes = 128

/** What the thread says is of this module's own making: it is what the call asks for. */
const answerOf = <A>(answer: unknown): A => {
  // oxlint-disable-next-line typescript/consistent-type-assertions -- the thread runs this package's own module
  return answer as A
}

const failed = ({ detail }: { readonly detail: string }) => new SearchUnavailable({ detail })

export const makeIndexThreads = Effect.fnUntraced(function* (filename: string) {
  const start = (kind: IndexThreadData["kind"]) => {
    const workerData: IndexThreadData = { filename, kind }
    return makeThread({ url: import.meta.url, name: "IndexThread", workerData, heapMegabytes })
  }
  const threads = { writer: yield* start("writer"), reader: yield* start("reader") }
  const turn = Semaphore.makeUnsafe(1)
  let renewals = 0

  /** Begins a new file in place of the damaged one, unless that was done since there were `before` renewals. */
  const renew = (before: number, detail: string) =>
    Effect.gen(function* () {
      if (renewals !== before) return
      yield* Effect.logError(
        `${detail}. An empty one takes the place of ${filename}: ` +
          "run the stage index again for each tenant (POST /v1/documents/retry?stage=index)"
      )
      yield* threads.reader.call({ _tag: "renew" } satisfies IndexCall)
      yield* threads.writer.call({ _tag: "renew" } satisfies IndexCall)
      renewals++
    }).pipe(turn.withPermit, Effect.uninterruptible)

  /** Asked once more, of a new file, if the file is found to be damaged. */
  const ask = <A>(kind: IndexThreadData["kind"], call: IndexCall): Effect.Effect<A, SearchUnavailable> =>
    Effect.suspend(() => {
      const before = renewals
      const asked = threads[kind].call(call)
      return Effect.catch(asked, (error) =>
        error.detail.startsWith(damaged) ? Effect.andThen(renew(before, error.detail), asked) : Effect.fail(error)
      )
    }).pipe(Effect.mapError(failed), Effect.map(answerOf<A>))

  /** Searches and lists that have no answer yet. */
  const pendingReads = () => threads.reader.pending()
  return { ask, pendingReads }
})

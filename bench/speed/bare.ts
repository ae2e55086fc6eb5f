// The bare loop, in a process of its own that does nothing while the service is measured, under the settings that suit it best.
import { writeFileSync } from "node:fs"
import { availableParallelism } from "node:os"
import { join } from "node:path"
import { Effect, Schema } from "effect"
import { ask, startModule, temporaryFolder } from "../peers/processes.ts"
import { percentile } from "../statistics.ts"
import { BareAnswer, type BareSettings } from "./bareTask.ts"
import type { Environment } from "./service.ts"

export const workersOf = (environment: Environment) => Number(environment["PAGE_WORKERS"] ?? availableParallelism())

const decodeAnswer = Schema.decodeUnknownEffect(BareAnswer)

/** So many workers that read these files when they are told to. */
export const startBare = Effect.fnUntraced(function* (workers: number, files: ReadonlyArray<Uint8Array>) {
  const folder = yield* temporaryFolder("bare")
  const paths = files.map((bytes, index) => {
    const path = join(folder, `${index}.pdf`)
    writeFileSync(path, bytes)
    return path
  })
  const { child, pid } = yield* startModule(new URL("./bareLoop.ts", import.meta.url), [String(workers)])
  const read = (how: BareSettings) =>
    Effect.flatMap(ask(child, { paths, how }), (answer) => Effect.orDie(decodeAnswer(answer)))
  return { pid, read }
})

export type Bare = Effect.Success<ReturnType<typeof startBare>>

const finalists = 4
const finalRounds = 3

/** The fastest of these settings: all of them once, then the best again. */
const fastest = Effect.fnUntraced(function* (bare: Bare, candidates: ReadonlyArray<BareSettings>) {
  const tried = candidates.map((how) => ({ how, seconds: Array<number>() }))
  const typical = ({ seconds }: (typeof tried)[number]) => percentile(seconds, 0.5)
  const tryAll = (some: typeof tried) =>
    Effect.forEach(some, ({ how, seconds }) => Effect.map(bare.read(how), (answer) => seconds.push(answer.seconds)))
  yield* tryAll(tried)
  const best = () => tried.toSorted((a, b) => typical(a) - typical(b)).slice(0, finalists)
  const few = best()
  for (let round = 1; round < finalRounds; round++) yield* tryAll(few)
  const [first] = few.toSorted((a, b) => typical(a) - typical(b))
  return first === undefined ? yield* Effect.die("there are no settings to choose from") : first.how
})

const rangesTried = [8, 16, 32, 64, 128]
const concurrencyTried = [1, 2, 3, 4]

/** More pages than any small file has. */
const wholeFile = 64

/** One large file: pages a call and pages at once; then whether calls that wait for a worker, or a first one, are of any use. */
export const bestForLarge = Effect.fnUntraced(function* (bare: Bare, workers: number) {
  yield* bare.read(firstGuess(workers))
  const sized = yield* fastest(
    bare,
    rangesTried.flatMap((rangePages) =>
      concurrencyTried.map((concurrency) => ({ ...firstGuess(workers), rangePages, concurrency }))
    )
  )
  const ways = [0, 8].flatMap((head) => [1, 2].map((calls) => ({ ...sized, head, lanes: calls * workers })))
  return yield* fastest(bare, ways)
})

/** Many small files: one call that opens and reads, or two. */
export const bestForSmall = Effect.fnUntraced(function* (bare: Bare, workers: number) {
  yield* bare.read(firstGuess(workers))
  const ways = [0, wholeFile].flatMap((head) =>
    concurrencyTried.flatMap((concurrency) =>
      [1, 2, 4].map((calls) => ({ head, rangePages: wholeFile, concurrency, lanes: calls * workers }))
    )
  )
  return yield* fastest(bare, ways)
})

const firstGuess = (workers: number): BareSettings => ({ head: 0, rangePages: 16, concurrency: 3, lanes: workers })

export const describe = ({ concurrency, head, lanes, rangePages }: BareSettings) =>
  `${lanes} calls at once, ${concurrency} pages at once in each, ${rangePages} pages a call` +
  (head > 0 ? `, the first ${head} with the opening` : "")

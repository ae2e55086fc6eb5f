// From the first byte of an upload until all results are durable and can be read.
import { Effect } from "effect"
import { prosePdf, type Report } from "../material.ts"
import { processorSeconds } from "./processorTime.ts"
import { figuresOf, interleave, ratios, resultOf, rowsOf } from "./rounds.ts"
import { installPeers, startAll, startBullmq, startSluice, type Subject, type Tuning } from "./subjects.ts"
import { audit, process, type Upload } from "./work.ts"

const tenants = 20

/** What each one reads before anything counts: V8 needs some thousand pages to make pdf.js as quick as it will be. */
const warmUps = 4

interface Candidate {
  readonly name: string
  readonly subject: Subject
  readonly uploads: ReadonlyArray<Upload>
}

/** Reads in turn, and lets a candidate's figure count only if its pages are, to the letter, those of the others. */
const compare = Effect.fnUntraced(function* (what: string, candidates: ReadonlyArray<Candidate>, rounds: number) {
  // One with more ways to read would be warmer by the time the first round counts.
  const first = new Map(candidates.toReversed().map(({ subject, uploads }) => [subject, uploads]))
  for (const [subject, uploads] of first) {
    yield* Effect.replicateEffect(process(subject, uploads), warmUps, { discard: true })
  }
  let expected: { readonly pages: number; readonly digest: string } | undefined
  const found = yield* interleave(
    candidates,
    rounds,
    Effect.fnUntraced(function* ({ name, subject, uploads }: Candidate) {
      const before = yield* processorSeconds(subject.pids)
      const { ids, seconds } = yield* process(subject, uploads)
      const used = (yield* processorSeconds(subject.pids)) - before
      const audited = yield* audit(subject, uploads, ids)
      expected ??= audited
      if (audited.pages !== expected.pages || audited.digest !== expected.digest) {
        return yield* Effect.die(`${name} found other pages: ${audited.pages} against ${expected.pages}`)
      }
      return { perSecond: audited.pages / seconds, millis: (used * 1000) / audited.pages }
    })
  )
  const rates = figuresOf(found, ({ perSecond }) => perSecond)
  const rows: Report = [
    ...rowsOf(`${what}, `, "pages/s", rates),
    ...rowsOf(
      "processor time of a page, ",
      "ms",
      figuresOf(found, ({ millis }) => millis)
    ),
    ...ratios(rates)
  ]
  return rows
})

/** More than any document has. */
const maxPages = 1_000_000

/** Pages of one BullMQ job: it is measured with each of them. */
const jobSizes = [50, 100, maxPages]

const startReaders = ({ workers }: Tuning) =>
  startAll([startSluice, startBullmq(workers), startBullmq(workers, "quickened")])

/** One large file. BullMQ reads it in one job, and in jobs of a range of pages each. */
export const largeFile = Effect.fnUntraced(function* (bytes: Uint8Array, rounds: number, tuning: Tuning) {
  yield* installPeers
  const subjects = yield* startReaders(tuning)
  const candidates = subjects.flatMap((subject): ReadonlyArray<Candidate> => {
    const ways = jobSizes.map((pagesPerJob) => ({
      name: `${subject.name}, ${pagesPerJob < maxPages ? `${pagesPerJob} pages a job` : "one job"}`,
      subject,
      uploads: [{ tenant: "bench", bytes, pagesPerJob }]
    }))
    return subject.isPeer ? ways : ways.slice(0, 1).map((way) => ({ ...way, name: subject.name }))
  })
  return resultOf("large", rounds, subjects, yield* compare("one large file", candidates, rounds))
}, Effect.scoped)

/** Files of one to five pages from twenty tenants. */
export const smallFiles = Effect.fnUntraced(function* (files: number, rounds: number, tuning: Tuning) {
  yield* installPeers
  const uploads = Array.from({ length: files }, (_, index) => ({
    tenant: `tenant-${index % tenants}`,
    bytes: prosePdf(1 + (index % 5), index),
    pagesPerJob: 50
  }))
  const subjects = yield* startReaders(tuning)
  const candidates = subjects.map((subject) => ({ name: subject.name, subject, uploads }))
  return resultOf("small", rounds, subjects, yield* compare("many small files", candidates, rounds))
}, Effect.scoped)

// From the first byte of an upload until all results are durable, against a bare loop in a process of its own.
import { Effect } from "effect"
import { prosePdf, type Report } from "./material.ts"
import { processorSeconds } from "./peers/processorTime.ts"
import { audit } from "./peers/work.ts"
import type { Found } from "./result.ts"
import { bestForLarge, bestForSmall, describe, startBare, workersOf } from "./speed/bare.ts"
import { type Environment, type File, makeReader, startService } from "./speed/service.ts"

const smallFileCount = 300
const tenants = 20
const serviceWarmUps = 3

interface Round {
  readonly bare: number
  /** Milliseconds of processor time of a page, in all processes. */
  readonly bareCost: number
  readonly service: number
  readonly delay: { readonly p99: number; readonly max: number }
  readonly main: number
  readonly workers: number
}

/** Both in turn, when both are warm; who goes first changes with each round. */
const compare = Effect.fnUntraced(function* (
  what: string,
  files: ReadonlyArray<File>,
  best: typeof bestForLarge,
  rounds: number,
  environment: Environment
) {
  const workers = workersOf(environment)
  const bare = yield* startBare(
    workers,
    files.map(({ bytes }) => bytes)
  )
  const how = yield* best(bare, workers)
  const service = yield* startService({ environment })
  const read = makeReader(service, files)

  const { pages } = yield* bare.read(how)
  const audited = yield* audit(
    service.subject,
    files.map((file) => ({ ...file, pagesPerJob: pages })),
    (yield* read).ids
  )
  if (audited.pages !== pages) return yield* Effect.die(`the service read ${audited.pages} of ${pages} pages`)
  // The bare loop is warm by now: it has tried its settings.
  yield* Effect.replicateEffect(read, serviceWarmUps, { discard: true })

  const measureService = Effect.gen(function* () {
    const before = yield* service.processor
    yield* service.eventLoop
    const { seconds } = yield* read
    const delay = yield* service.eventLoop
    const after = yield* service.processor
    const perPage = (part: "main" | "workers") => ((after[part] - before[part]) * 1000) / pages
    return { seconds, delay, main: perPage("main"), workers: perPage("workers") }
  })
  const measureBare = Effect.gen(function* () {
    const before = yield* processorSeconds([bare.pid])
    const { seconds } = yield* bare.read(how)
    const used = (yield* processorSeconds([bare.pid])) - before
    return { bare: pages / seconds, bareCost: (used * 1000) / pages }
  })
  const measured: Array<Round> = []
  for (let round = 0; round < rounds; round++) {
    const early = round % 2 === 0 ? yield* measureBare : undefined
    const { seconds, ...figures } = yield* measureService
    measured.push({ ...figures, ...(early ?? (yield* measureBare)), service: pages / seconds })
  }
  const row = (name: string, unit: string, figure: (round: Round) => number) => ({
    name,
    unit,
    figures: measured.map(figure)
  })
  const rows: Report = [
    row(`${what}, bare loop`, "pages/s", ({ bare }) => bare),
    row(`${what}, service`, "pages/s", ({ service }) => service),
    row(`ratio, ${what}`, "service / bare", ({ bare, service }) => service / bare),
    row("event-loop delay of the service, p99", "ms", ({ delay }) => delay.p99),
    row("event-loop delay of the service, longest", "ms", ({ delay }) => delay.max),
    row("processor time of a page, bare loop", "ms", ({ bareCost }) => bareCost),
    row("processor time of a page, main process", "ms", ({ main }) => main),
    row("processor time of a page, page workers", "ms", ({ workers }) => workers),
    row(
      "processor time of a page, all of it",
      "bare / service",
      ({ bareCost, main, workers }) => bareCost / (main + workers)
    )
  ]
  const loop = {
    name: "bare loop",
    versions: service.subject.versions,
    settings: `${workers} workers, ${describe(how)}`
  }
  const found: Found = { rows, subjects: [service.subject, loop] }
  return found
}, Effect.scoped)

/** One large file. */
export const reading = (bytes: Uint8Array, rounds: number, environment: Environment) =>
  compare("one large file", [{ tenant: "bench", bytes }], bestForLarge, rounds, environment)

/** Files of one to five pages from twenty tenants. */
export const smallFiles = (rounds: number, environment: Environment) => {
  const files = Array.from({ length: smallFileCount }, (_, index) => ({
    tenant: `tenant-${index % tenants}`,
    bytes: prosePdf(1 + (index % 5), index)
  }))
  return compare("many small files", files, bestForSmall, rounds, environment)
}

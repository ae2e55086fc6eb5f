// How soon an idle service has the first page of a small file, against the engine alone.
import { Effect, Schema } from "effect"
import { prosePdf } from "./material.ts"
import type { Found } from "./result.ts"
import { startBare, workersOf } from "./speed/bare.ts"
import { upload } from "./speed/client.ts"
import { type Environment, startService, untilProcessed } from "./speed/service.ts"
import { percentile } from "./statistics.ts"

const samples = 50
const warmUps = 20
/**
 * To look takes the time of those who are looked at, so nobody looks before this share of the least time that it took so far;
 * and then again and again. What is measured may be late by one look and the pause before it, and so the share must not be
 * large: with nine tenths, the least time could never fall below ten times as much.
 */
const quietShare = 0.5
const look = "1 millis"
/** Long enough for everything behind a result to come to rest. */
const recovery = "60 millis"

const Pages = Schema.Struct({ pages: Schema.Array(Schema.Struct({ number: Schema.Number })) })

/** Samples of both in turn; a round is their medians. */
export const first = Effect.fnUntraced(function* (rounds: number, environment: Environment) {
  const file = prosePdf(1, 0)
  const bare = yield* startBare(workersOf(environment), [file])
  const service = yield* startService({ environment })
  const { client } = service
  let files = 0
  let looks = 0
  let leastMillis = 0

  const bareMillis = Effect.map(
    bare.read({ head: 1, rangePages: 1, concurrency: 1, lanes: 1 }),
    ({ seconds }) => seconds * 1000
  )
  const serviceMillis = Effect.gen(function* () {
    // Bytes behind the end of a PDF are ignored, and make every file another one.
    const bytes = Buffer.concat([file, Buffer.from(`\n% ${files++}\n`)])
    const start = performance.now()
    const id = yield* upload(client, "bench", bytes)
    const accepted = performance.now() - start
    yield* Effect.sleep(Math.floor(quietShare * leastMillis))
    while (true) {
      looks++
      const { pages } = yield* client.decode(Pages, { path: `/v1/documents/${id}/pages?limit=1` })
      if (pages.length > 0) break
      yield* Effect.sleep(look)
    }
    const total = performance.now() - start
    const read = total - accepted
    leastMillis = leastMillis === 0 ? read : Math.min(leastMillis, read)
    return { accepted, read, total }
  })
  const sample = Effect.gen(function* () {
    const alone = yield* bareMillis
    yield* Effect.sleep(recovery)
    const found = yield* serviceMillis
    yield* untilProcessed(client, files)
    yield* Effect.sleep(recovery)
    return { alone, ...found }
  })
  yield* Effect.replicateEffect(sample, warmUps)
  looks = 0
  const measured = yield* Effect.replicateEffect(Effect.replicateEffect(sample, samples), rounds)
  const medians = (figure: (sample: (typeof measured)[number][number]) => number) =>
    measured.map((round) => percentile(round.map(figure), 0.5))
  const alone = medians((sample) => sample.alone)
  const read = medians((sample) => sample.read)
  const total = medians((sample) => sample.total)
  const later = (than: ReadonlyArray<number>) => than.map((millis, round) => millis - (alone[round] ?? Number.NaN))
  const found: Found = {
    subjects: [service.subject],
    rows: [
      { name: "a 1-page file, opened and read by a bare worker", unit: "ms", figures: alone },
      { name: "until it is accepted", unit: "ms", figures: medians(({ accepted }) => accepted) },
      { name: "from then on, until its page can be read over HTTP", unit: "ms", figures: read },
      { name: "both", unit: "ms", figures: total },
      { name: "difference of the first page, from the acceptance", unit: "ms, service - bare", figures: later(read) },
      { name: "difference of the first page, from the first byte", unit: "ms, service - bare", figures: later(total) },
      {
        name: "worst tenth of the first page, from the acceptance",
        unit: "ms, p90 of the service",
        figures: measured.map((round) =>
          percentile(
            round.map((sample) => sample.read),
            0.9
          )
        )
      },
      { name: "looks until the page was there", unit: "requests", figures: [looks / (rounds * samples)] }
    ]
  }
  return found
}, Effect.scoped)

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
/** Between looks at the pages: what is measured may be late by so much. */
const look = "2 millis"
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
    while (true) {
      looks++
      const { pages } = yield* client.decode(Pages, { path: `/v1/documents/${id}/pages?limit=1` })
      if (pages.length > 0) return { accepted, total: performance.now() - start }
      yield* Effect.sleep(look)
    }
  })
  const sample = Effect.gen(function* () {
    const alone = yield* bareMillis
    yield* Effect.sleep(recovery)
    const { accepted, total } = yield* serviceMillis
    yield* untilProcessed(client, files)
    yield* Effect.sleep(recovery)
    return { alone, accepted, total }
  })
  yield* Effect.replicateEffect(sample, warmUps)
  looks = 0
  const measured = yield* Effect.replicateEffect(Effect.replicateEffect(sample, samples), rounds)
  const medians = (figure: (sample: (typeof measured)[number][number]) => number) =>
    measured.map((round) => percentile(round.map(figure), 0.5))
  const alone = medians((sample) => sample.alone)
  const total = medians((sample) => sample.total)
  const found: Found = {
    subjects: [service.subject],
    rows: [
      { name: "a 1-page file, opened and read by a bare worker", unit: "ms", figures: alone },
      { name: "until it is accepted", unit: "ms", figures: medians(({ accepted }) => accepted) },
      { name: "until its page can be read over HTTP", unit: "ms", figures: total },
      {
        name: "difference of the first page",
        unit: "ms, service - bare",
        figures: total.map((millis, round) => millis - (alone[round] ?? Number.NaN))
      },
      {
        name: "the same, worst tenth",
        unit: "ms, p90 of the service",
        figures: measured.map((round) =>
          percentile(
            round.map((sample) => sample.total),
            0.9
          )
        )
      },
      { name: "looks until the page was there", unit: "requests", figures: [looks / (rounds * samples)] }
    ]
  }
  return found
}, Effect.scoped)

/**
 * Whether `waiting.eta` keeps its word: three tenants upload a mixture to a service that knows nothing yet, every document that has
 * not ended is asked for its estimate each second, and what was said is held against the real ends.
 */
import { Clock, Console, Effect, Option, Schema } from "effect"
import { DocumentId } from "../src/domain/Ids.ts"
import { Waiting } from "../src/domain/document/Waiting.ts"
import { costlyPdf, prosePdf, type Report } from "./material.ts"
import { layerServiceWith, serviceUrl } from "./service.ts"
import { percentile } from "./statistics.ts"

const workers = 2
const environment = { PAGE_WORKERS: String(workers), TENANT_LIMITS: '{"reports":{"weight":2}}' }

/** What one tenant sends: sizes in pages, lines of a page, and after how many milliseconds. */
interface Sending {
  readonly tenant: string
  readonly afterMillis: number
  readonly bytes: () => Uint8Array
}

/** The same numbers from 0 to 1 for the same seed. */
const dice = (seed: number) => {
  let state = (seed + 1) * 2_654_435_761
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/** A burst of everything, and the rest over so long. */
const spreadMillis = 20_000
const habits = [
  { tenant: "letters", documents: 120, least: 1, most: 5, lines: 45 },
  { tenant: "reports", documents: 40, least: 10, most: 80, lines: 400 },
  { tenant: "books", documents: 24, least: 40, most: 200, lines: 150 }
]

const mixture = (seed: number): ReadonlyArray<Sending> => {
  const roll = dice(seed)
  return habits
    .flatMap(({ documents, least, lines, most, tenant }) =>
      Array.from({ length: documents }, (_, index): Sending => {
        const pages = least + Math.floor(roll() * (most - least + 1))
        const salt = seed * 10_000 + index
        // Half to twice the tenant's usual lines, so that pages differ as files of one tenant do.
        const own = Math.round(lines * 2 ** (2 * roll() - 1))
        const bytes = tenant === "letters" ? () => prosePdf(pages, salt) : () => costlyPdf(pages, own)
        return { tenant, afterMillis: index % 2 === 0 ? 0 : roll() * spreadMillis, bytes }
      })
    )
    .toSorted((a, b) => a.afterMillis - b.afterMillis)
}

/** One long document and nothing else. */
const alone = (pages: number, lines: number): ReadonlyArray<Sending> => [
  { tenant: "books", afterMillis: 0, bytes: () => costlyPdf(pages, lines) }
]

const Accepted = Schema.fromJsonString(Schema.Struct({ documents: Schema.Tuple([Schema.Struct({ id: DocumentId })]) }))
const Seen = Schema.fromJsonString(
  Schema.Struct({
    timings: Schema.Struct({ finishedAt: Schema.optionalKey(Schema.DateTimeUtcFromString) }),
    waiting: Schema.optionalKey(Waiting)
  })
)

const ask = <A>(schema: Schema.Decoder<A>, url: string, init: RequestInit) =>
  Effect.promise(async () => (await fetch(url, init)).text()).pipe(
    Effect.flatMap(Schema.decodeUnknownEffect(schema)),
    Effect.orDie
  )

interface Prediction {
  readonly tenant: string
  readonly gate: string
  /** Milliseconds from when it was made. */
  readonly low: number
  readonly high: number
  readonly left: number
}

/** What was said of one document, each second from its acceptance to its end. */
const watch = Effect.fnUntraced(function* (tenant: string, id: DocumentId) {
  const url = `${yield* serviceUrl}/v1/documents/${id}`
  const said: Array<{ readonly at: number; readonly gate: string; readonly low: number; readonly high: number }> = []
  for (;;) {
    const at = yield* Clock.currentTimeMillis
    const { timings, waiting } = yield* ask(Seen, url, { headers: { "x-tenant-id": tenant } })
    const end = timings.finishedAt?.epochMilliseconds
    if (end !== undefined) {
      return said.map(({ at, gate, high, low }): Prediction => ({
        tenant,
        gate,
        low: low - at,
        high: high - at,
        left: end - at
      }))
    }
    if (waiting?.eta !== undefined) {
      const { high, low } = waiting.eta
      said.push({ at, gate: waiting.gate, low: low.epochMilliseconds, high: high.epochMilliseconds })
    }
    yield* Effect.sleep(1000 - ((yield* Clock.currentTimeMillis) - at))
  }
})

const send = Effect.fnUntraced(function* ({ bytes, tenant }: Sending) {
  const { documents } = yield* ask(Accepted, `${yield* serviceUrl}/v1/documents?force=true`, {
    method: "POST",
    headers: { "content-type": "application/pdf", "x-tenant-id": tenant },
    body: bytes().slice()
  })
  return yield* watch(tenant, documents[0].id)
})

const predictions = (sendings: ReadonlyArray<Sending>) =>
  Effect.forEach(sendings, (sending) => Effect.andThen(Effect.sleep(sending.afterMillis), send(sending)), {
    concurrency: "unbounded"
  }).pipe(Effect.provide(layerServiceWith(environment)))

/** An end this near is met when it was said to be this near. */
const nearMillis = 100

const isInside = ({ high, left, low }: Prediction) => left >= low - nearMillis && left <= high + nearMillis
const widthOf = ({ high, left, low }: Prediction) => (high - low) / Math.max(nearMillis, left)
const percentInside = (all: ReadonlyArray<Prediction>) => (100 * all.filter(isInside).length) / all.length

interface Figures {
  readonly all: ReadonlyArray<Prediction>
  readonly first: ReadonlyArray<Prediction>
}

const measured = Effect.fnUntraced(function* (name: string, sendings: ReadonlyArray<Sending>) {
  const byDocument = yield* predictions(sendings)
  const all = byDocument.flat()
  const first = byDocument.flatMap((said) => Option.toArray(Option.fromUndefinedOr(said[0])))
  for (const [key, some] of Map.groupBy(all, ({ gate, tenant }) => `${tenant} at the ${gate} gate`)) {
    const [early, late] = [
      some.filter(({ left, low }) => left < low - nearMillis).length,
      some.filter(({ high, left }) => left > high + nearMillis).length
    ]
    const width = percentile(some.map(widthOf), 0.5).toFixed(2)
    yield* Console.error(
      `… ${name}, ${key}: ${some.length} said, ${percentInside(some).toFixed(0)} % inside, ` +
        `${early} ended before low, ${late} after high, width ${width}`
    )
  }
  return { all, first } satisfies Figures
})

const rowsOf = (name: string, rounds: ReadonlyArray<Figures>): Report => [
  { name: `${name}: ends within what was said`, unit: "%", figures: rounds.map(({ all }) => percentInside(all)) },
  { name: "  as said first of a document", unit: "%", figures: rounds.map(({ first }) => percentInside(first)) },
  {
    name: "  width of the range",
    unit: "of the time left, p50",
    figures: rounds.map(({ all }) => percentile(all.map(widthOf), 0.5))
  }
]

/** The share of estimates that came true, and how much they left open. Every round begins with a service that knows nothing. */
export const estimates = (rounds: number) =>
  Effect.gen(function* () {
    const seeds = Array.from({ length: rounds }, (_, seed) => seed)
    const single = yield* Effect.forEach(seeds, (seed) =>
      measured("one document", alone(200, [60, 300, 900][seed % 3] ?? 300))
    )
    const mixed = yield* Effect.forEach(seeds, (seed) => measured("a mixture", mixture(seed)))
    return [...rowsOf("one document", single), ...rowsOf("three tenants", mixed)]
  })

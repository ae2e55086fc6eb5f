// The main process's memory while a large document is read, and while all its lines are fetched.
import { Effect, Schema } from "effect"
import { costlyPdf } from "./material.ts"
import type { Found } from "./result.ts"
import { upload } from "./speed/client.ts"
import { type Environment, forgetPeak, memoryOf, startService, untilProcessed } from "./speed/service.ts"

const pages = 1000
const lines = 400
/** Pages of one answer: the default, and as many as there may be. */
const limits = [50, 500]

const Part = Schema.Struct({ next: Schema.optionalKey(Schema.Number) })

/** A service of its own each round: peaks last. */
export const detail = Effect.fnUntraced(function* (rounds: number, environment: Environment) {
  const bytes = costlyPdf(pages, lines)
  const round = Effect.gen(function* () {
    const { client, pid, subject } = yield* startService({ environment })
    yield* Effect.sleep("2 seconds")
    const started = yield* memoryOf(pid, "VmRSS")
    const id = yield* upload(client, "bench", bytes)
    yield* untilProcessed(client, 1)
    const reading = yield* memoryOf(pid, "VmHWM")
    const fetching = yield* Effect.forEach(limits, (limit) =>
      Effect.gen(function* () {
        yield* forgetPeak(pid)
        let from: number | undefined = 1
        while (from !== undefined) {
          const path: string = `/v1/documents/${id}/pages?detail=lines&limit=${limit}&from=${from}`
          const { next }: typeof Part.Type = yield* client.decode(Part, { path })
          from = next
        }
        return yield* memoryOf(pid, "VmHWM")
      })
    )
    return { subject, started, reading, fetching }
  })
  const measured = yield* Effect.replicateEffect(Effect.scoped(round), rounds)
  const row = (name: string, figure: (round: (typeof measured)[number]) => number) => ({
    name,
    unit: "MiB, main process",
    figures: measured.map(figure)
  })
  const found: Found = {
    subjects: measured.slice(0, 1).map(({ subject }) => subject),
    rows: [
      row("idle after the start", ({ started }) => started),
      row(`peak, ${pages} pages of ${lines} lines are read`, ({ reading }) => reading),
      ...limits.map((limit, index) =>
        row(
          `peak, all their lines are fetched, ${limit} pages at once`,
          ({ fetching }) => fetching[index] ?? Number.NaN
        )
      )
    ]
  }
  return found
})

// A process of its own: starts the engine, lets one worker spin, tells who the workers are, and waits to be killed.
import { Effect } from "effect"
import { spinningPage } from "../../../support/pdf.ts"
import { inMemory, pdfOf, read, statusWhen, twoWorkers } from "../engine.ts"

const program = Effect.gen(function* () {
  yield* Effect.forkChild(read(pdfOf("spinning", inMemory(spinningPage())), [1]))
  const { workers } = yield* statusWhen(
    (status) => status.workers.length === 3 && status.workers.some((worker) => worker.busy)
  )
  yield* Effect.sync(() => process.send?.(workers.map((worker) => worker.pid)))
  yield* Effect.never
})

Effect.runFork(Effect.provide(program, twoWorkers))

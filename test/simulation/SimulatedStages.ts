import { Clock, Effect, Layer } from "effect"
import { noLines } from "../../src/domain/document/Page.ts"
import type { DocumentId } from "../../src/domain/Ids.ts"
import { PipelineName, StageName, StageVersion } from "../../src/domain/pipeline/Pipeline.ts"
import { Downstreams, FarSideRefused, FarSideUnavailable } from "../../src/services/downstreams/Downstreams.ts"
import { DownstreamsConfig } from "../../src/services/downstreams/DownstreamsConfig.ts"
import { decodeDownstreams } from "../../src/services/downstreams/DownstreamSettings.ts"
import * as PipelineDeclarations from "../../src/services/pipelines/PipelineDeclarations.ts"
import { type Stage, StageError, type StageSubject } from "../../src/services/pipelines/Stage.ts"
import { Dice } from "./Dice.ts"
import { artifactKey } from "./Entry.ts"
import type { History } from "./History.ts"
import type { Ledger } from "./Ledger.ts"
import type { DocumentPlan } from "./Scenario.ts"
import type { Process } from "./SimulatedStore.ts"
import type { Trouble } from "./Trouble.ts"

/** The pipeline that the documents of some scenarios go through. */
export const staged = PipelineName.make("staged")

export type Temper = "fine" | "refuses" | "is away" | "hiccups" | "fails" | "has a bug"

/** What the far side makes of one page, or of the document (page 0). It depends on nothing but the seed and the content. */
export const temperOf = (seed: string, content: number, stage: string, page: number) => {
  const dice = new Dice(`far ${seed} ${content} ${stage} ${page}`)
  const passing = ["fine", "fine", "fine", "fine", "refuses", "is away", "hiccups"] as const
  const temper: Temper =
    stage === "tables" ? dice.pick<Temper>([...passing, ...passing, "fails", "has a bug"]) : dice.pick<Temper>(passing)
  return { temper, times: dice.int(1, 3), millis: dice.skewed(5, 2_000) }
}

export const endsWell = (temper: Temper) => temper !== "fails" && temper !== "has a bug"

/** What is outside of all processes: it forgets nothing, and notices when it is asked again for what was stored. */
export class SimulatedFarSide {
  readonly #seed: string
  readonly #history: History
  readonly #ledger: Ledger
  readonly #trouble: Trouble
  readonly #asked = new Map<string, number>()
  calls = 0

  constructor(seed: string, history: History, ledger: Ledger, trouble: Trouble) {
    this.#seed = seed
    this.#history = history
    this.#ledger = ledger
    this.#trouble = trouble
  }

  readonly ask = Effect.fnUntraced(
    { self: this },
    function* (this: SimulatedFarSide, process: Process, id: DocumentId, content: number, stage: string, page: number) {
      if (!process.alive) return yield* Effect.never
      this.calls++
      const key = artifactKey({ page, stage })
      const asked = (this.#asked.get(`${id} ${key}`) ?? 0) + 1
      this.#asked.set(`${id} ${key}`, asked)
      const entry = this.#ledger.entry(id)
      if (entry !== undefined && !entry.overlapped && entry.artifacts.get(key) === "done") {
        this.#history.violate("what is stored of a stage is not asked for again", `${entry.label} ${key}`)
      }
      const { millis, temper, times } = temperOf(this.#seed, content, stage, page)
      yield* Effect.sleep(millis)
      const now = yield* Clock.currentTimeMillis
      if (this.#trouble.farSideFails(now)) return yield* new FarSideUnavailable({ detail: "simulated" })
      if (temper === "refuses" && asked <= times) return yield* new FarSideRefused({ status: 429 })
      if (temper === "is away" && asked <= times) return yield* new FarSideUnavailable({ detail: "simulated" })
      if (temper === "hiccups" && asked <= 1) return yield* StageError.of("STAGE_FAILED", "simulated", true)
      if (temper === "fails") return yield* StageError.of("STAGE_FAILED", "simulated")
      if (temper === "has a bug") return yield* Effect.die("simulated")
    }
  )
}

const base = (name: string) => ({ name: StageName.make(name), version: StageVersion.make("1"), needs: [] })
const contentOf = (text: string) => ({ mediaType: "text/plain", bytes: new TextEncoder().encode(text) })

/** The stages of one process, and the downstream that they call. */
export const stagesOf = (
  far: SimulatedFarSide,
  process: Process,
  planOf: (id: DocumentId) => DocumentPlan | undefined
) => {
  const ask = ({ document, tenant }: StageSubject, stage: string, page: number) =>
    Effect.flatMap(Downstreams, ({ call }) =>
      call("far", { tenant })(far.ask(process, document, planOf(document)?.content ?? -1, stage, page))
    )
  const large = "x".repeat(70_000)
  const stages: ReadonlyArray<Stage> = [
    {
      ...base("ocr"),
      kind: "page",
      provides: "text",
      run: (input) =>
        Effect.as(ask(input, "ocr", input.page.number), {
          content: contentOf(`ocr of page ${input.page.number}`),
          reading: { text: `Page ${input.page.number}, recognised`, lines: noLines }
        })
    },
    {
      ...base("tables"),
      kind: "page",
      provides: "artifact",
      // Some are blobs.
      run: (input) =>
        Effect.as(ask(input, "tables", input.page.number), {
          content: contentOf(`${input.document} ${input.page.number % 5 === 0 ? large : ""}`)
        })
    },
    {
      ...base("index"),
      kind: "document",
      run: (input) => Effect.as(ask(input, "index", 0), { content: contentOf(`index of ${input.pageCount} pages`) })
    }
  ]
  const declared = [
    { name: staged, steps: [{ stage: "ocr", pages: "scanned" as const }, { stage: "tables" }, { stage: "index" }] }
  ]
  const settings = { far: { concurrency: { initial: 4, min: 1, max: 16 }, breaker: { failures: 4, open: "5s" } } }
  return Layer.merge(
    Layer.orDie(PipelineDeclarations.layer(stages, declared)),
    Layer.effect(DownstreamsConfig, Effect.orDie(decodeDownstreams(settings)))
  )
}

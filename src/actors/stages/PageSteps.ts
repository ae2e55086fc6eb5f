/** The way of one page through the stages of its pipeline. */
import { Effect, Option } from "effect"
import { failedPage, type PageResult } from "../../domain/document/Page.ts"
import { type Warning, warning } from "../../domain/document/Warning.ts"
import type { Failure } from "../../domain/Failure.ts"
import type { StageName } from "../../domain/pipeline/Pipeline.ts"
import type { PdfRef } from "../../services/PdfEngine.ts"
import type { PageStep } from "../../services/pipelines/Pipelines.ts"
import type { EarlierContent, PageOutput, StageContent } from "../../services/pipelines/Stage.ts"
import type { SavePages } from "../document/SavePages.ts"
import { keptReading, readKept } from "./artifacts/PageReadings.ts"
import { wantedOnce, wants, wantsText } from "./Selection.ts"
import type { StagedRun } from "./StagedRun.ts"
import { madeBy, type MadeArtifact } from "./artifacts/WriteArtifacts.ts"

/** The page as a stage left it that provides its text. Warnings about a text that was replaced go with it. */
const withReading = (page: PageResult, { reading, warnings = [] }: PageOutput, source: StageName): PageResult => {
  const told = page.warnings ?? []
  if (reading === undefined) return warnings.length === 0 ? page : { ...page, warnings: [...told, ...warnings] }
  const { layout: _, warnings: __, ...rest } = page
  const kept = [...told.filter(({ code }) => code === "STAGE_SKIPPED"), ...warnings]
  return {
    ...rest,
    ...reading,
    status: reading.text.trim() === "" ? "empty" : "ok",
    source,
    ...(kept.length === 0 ? {} : { warnings: kept })
  }
}

const warned = (page: PageResult, { message }: Failure): PageResult => {
  const skipped: Warning = warning("STAGE_SKIPPED", message)
  return { ...page, warnings: [...(page.warnings ?? []), skipped] }
}

const failedBy = ({ elapsedMillis, height, number, rotation, width }: PageResult, error: Failure): PageResult => ({
  ...failedPage(number, "failed", error, elapsedMillis),
  height,
  rotation,
  width
})

/** One page on its way. */
class PageOnItsWay {
  page: PageResult
  hasResult: boolean
  /** What stages made that is committed together with the page. */
  made: Array<MadeArtifact> = []
  readonly contents = new Map<StageName, StageContent>()

  constructor(page: PageResult, hasResult: boolean) {
    this.page = page
    this.hasResult = hasResult
  }
}

/** Runs stages on pages; `save` makes pages durable together with artifacts. */
export const makePageSteps = (run: StagedRun, pdf: PdfRef, save: SavePages) => {
  const steps = run.pipeline.pages
  const { attempt } = run.claim.fence

  const earlierOf =
    ({ contents, page }: PageOnItsWay): EarlierContent =>
    (stage) => {
      const own = contents.get(stage)
      return own === undefined ? run.stored.content(page.number, stage) : Effect.succeedSome(own)
    }

  const runStep = (on: PageOnItsWay, step: PageStep) => {
    const input = { ...run.subject, pdf, page: on.page, earlier: earlierOf(on) }
    return run.runBounded(step, `page ${on.page.number}`, (stage) => stage.run(input))
  }

  const checkpoint = Effect.fnUntraced(function* (on: PageOnItsWay) {
    const { made, page } = on
    on.made = []
    yield* run.savePage(page, made, save)
    on.hasResult = true
  })

  /** A stage that gives the page its text. What it made is committed with the page, or before the next such stage. */
  const throughText = Effect.fnUntraced(function* (on: PageOnItsWay, step: PageStep, index: number) {
    const { stage } = step
    const { number } = on.page
    if (run.stored.status(number, stage) === "done") {
      const kept = yield* readKept(run.stored, number, stage.name)
      if (Option.isSome(kept)) {
        on.page = kept.value
        return
      }
    }
    const end = yield* runStep(on, step)
    const artifact = madeBy(stage, number, end)
    on.made.push(artifact)
    if (end._tag === "Failed") on.page = failedBy(on.page, end.error)
    else if (end._tag === "Skipped") on.page = warned(on.page, end.error)
    else {
      on.contents.set(stage.name, end.output.content)
      on.page = withReading(on.page, end.output, stage.name)
      if (!wantsText(steps, index + 1, on.page)) return
      yield* run.saveArtifacts([...on.made, yield* keptReading(on.page, stage.name, attempt)])
      on.made = []
    }
  })

  const throughArtifact = Effect.fnUntraced(function* (on: PageOnItsWay, step: PageStep) {
    const { stage } = step
    const { number } = on.page
    if (run.stored.status(number, stage) !== undefined) return
    const end = yield* runStep(on, step)
    yield* run.saveArtifacts([madeBy(stage, number, end)])
  })

  const goesThrough = (on: PageOnItsWay, hadResult: boolean, index: number, step: PageStep) =>
    hadResult
      ? step.stage.provides === "artifact" && wantedOnce(steps, index, on.page, on.page.source)
      : wants(step, on.page)

  return {
    /** Whether anything is to be done before the page can be saved. */
    holdsBack: (page: PageResult) => wantsText(steps, 0, page),
    /** Whether anything is left to be done for a page that has its result. */
    hasMore: (page: PageResult) =>
      steps.some(
        ({ stage }, index) =>
          stage.provides === "artifact" &&
          run.stored.status(page.number, stage) === undefined &&
          wantedOnce(steps, index, page, page.source)
      ),
    /**
     * Takes the page through all of its stages. It gets its result when no stage is left that gives it text; the others go on
     * after that.
     */
    through: Effect.fnUntraced(function* (page: PageResult, hadResult: boolean) {
      const on = new PageOnItsWay(page, hadResult)
      for (const [index, step] of steps.entries()) {
        if (!on.hasResult && !wantsText(steps, index, on.page)) yield* checkpoint(on)
        if (!goesThrough(on, hadResult, index, step)) continue
        yield* step.stage.provides === "text" ? throughText(on, step, index) : throughArtifact(on, step)
      }
      if (!on.hasResult) yield* checkpoint(on)
    })
  }
}

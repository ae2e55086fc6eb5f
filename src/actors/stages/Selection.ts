import { isFailed, type PageResult } from "../../domain/document/Page.ts"
import { hasWarnings } from "../../domain/document/Warning.ts"
import type { PageSelection } from "../../domain/pipeline/Pipeline.ts"
import type { PageStep, Pipeline } from "../../services/pipelines/Pipelines.ts"

const selects: Readonly<Record<PageSelection, (page: PageResult) => boolean>> = {
  all: () => true,
  scanned: ({ status }) => status === "scanned",
  warned: hasWarnings
}

/** Whether the step works on the page as it is now. A page that failed has nothing to work on. */
export const wants = (step: PageStep, page: PageResult): boolean => !isFailed(page.status) && selects[step.pages](page)

export const hasStages = ({ document, pages, source }: Pipeline): boolean =>
  source !== undefined || pages.length > 0 || document.length > 0

/** Whether any stage works on a document of these pages, once they were read. */
export const wantsAny = ({ document, pages: steps }: Pipeline, pages: ReadonlyArray<PageResult>): boolean =>
  document.length > 0 || pages.some((page) => steps.some((step) => wants(step, page)))

/** Whether a step from this place on gives the page its text. */
export const wantsText = (steps: ReadonlyArray<PageStep>, from: number, page: PageResult): boolean =>
  steps.some((step, index) => index >= from && step.stage.provides === "text" && wants(step, page))

/**
 * The same for a page that has its result: what a step saw that ran before the page got its text is not known any more. A page
 * that has its text from a stage was once what that stage works on.
 */
export const wantedOnce = (
  steps: ReadonlyArray<PageStep>,
  index: number,
  page: PageResult,
  source: string | undefined
): boolean => {
  const step = steps[index]
  if (step === undefined || isFailed(page.status)) return false
  const giver = steps.findIndex(({ stage }) => stage.name === source)
  return wants(step, page) || (index < giver && steps[giver]?.pages === step.pages)
}

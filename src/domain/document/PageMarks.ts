// What a rendering says in the place of a page that has no text, or after one that is incomplete.
import type { Failure } from "../Failure.ts"
import { type Document, isTerminal } from "./Document.ts"
import type { PageResult } from "./Page.ts"
import type { Warning } from "./Warning.ts"

/** The fields of a page that are needed to find gaps. */
export type PageState = Pick<PageResult, "number" | "status" | "warnings">

interface Readable extends PageState {
  readonly text: string
  readonly error?: Failure | undefined
}

/** Whether a page may have text that is missing entirely: it failed, timed out or is scanned. */
export const hasNoText = ({ status }: PageState): boolean => status !== "ok" && status !== "empty"

const mark = (number: number, why: string): string => `[page ${number} is missing: ${why}]`

const warningMark = (number: number, warnings: ReadonlyArray<Warning>): string =>
  `[page ${number} is incomplete: ${warnings.map(({ code }) => code).join(", ")}]`

/** Replaces the text of a page that has no result. */
export const unreadMark = (number: number, { status }: Document): string =>
  mark(number, isTerminal(status) ? "not read" : "pending")

/** What is said of a page that has no text or an incomplete one. */
export const pageMark = (page: Omit<Readable, "text">): string | undefined => {
  const { error, number, status, warnings = [] } = page
  if (hasNoText(page)) return mark(number, error?.code ?? status)
  return warnings.length === 0 ? undefined : warningMark(number, warnings)
}

/** The page's text with notes on what it lacks, or the mark that replaces it. */
export const markedText = (page: Readable): string => {
  const said = pageMark(page)
  if (said === undefined) return page.text
  return hasNoText(page) ? said : `${page.text}\n${said}`
}

/** The end of the text of a document whose page count is unknown. */
export const unknownMark = ({ failure, status }: Document): string =>
  `[the document is ${status}: ${failure?.code ?? "its pages are not known yet"}]`

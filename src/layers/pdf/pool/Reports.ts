// Checks what a page worker sends to the engine. A worker interprets hostile files, so one may control it: a worker that sends
// anything but an exact report of its present call is killed. Checked by hand, since each page passes here: a page takes a
// microsecond.
import { Schema } from "effect"
import { OutlineItem, PdfMetadata } from "../../../domain/document/Document.ts"
import { FailureCode } from "../../../domain/Failure.ts"
import { type PageResult, PageStatus } from "../../../domain/document/Page.ts"
import { mostEncodedBytes } from "../../../domain/document/LayoutBytes.ts"
import type { OpenedPdf } from "../../../services/PdfEngine.ts"
import type { Outcome, Report, Timing, Work } from "./Protocol.ts"

/** A sound worker sends less; a frame of more is refused before it is read. */
export const mostReportBytes = 64 * 1024 * 1024

const mostTextCharacters = 16 * 1024 * 1024
const mostLinesCharacters = 48 * 1024 * 1024
const mostWordsCharacters = 4_096
const mostOutlineCharacters = 32 * 1024 * 1024
const mostHeld = 1_024
const mostWarnings = 100

type Fields = Readonly<Record<string, unknown>>

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)
const isText = (value: unknown, most: number): value is string => typeof value === "string" && value.length <= most
const isAmount = (value: unknown): value is number =>
  typeof value === "number" && value >= 0 && value <= Number.MAX_SAFE_INTEGER
const isCount = (value: unknown): value is number => isAmount(value) && Number.isInteger(value)
const isListOf = (value: unknown, most: number, isItem: (item: unknown) => boolean): boolean =>
  Array.isArray(value) && value.length <= most && value.every(isItem)

const codes: ReadonlySet<unknown> = new Set(FailureCode.literals)
const statuses: ReadonlySet<unknown> = new Set(PageStatus.literals)

const isFailure = (value: unknown): boolean =>
  isFields(value) &&
  codes.has(value["code"]) &&
  isText(value["message"], mostWordsCharacters) &&
  isText(value["advice"], mostWordsCharacters)

const isWarning = (value: unknown): boolean =>
  isFields(value) && isText(value["code"], 64) && isText(value["message"], mostWordsCharacters)

const areWarnings = (value: unknown): boolean => value === undefined || isListOf(value, mostWarnings, isWarning)

/** Lines are stored and returned as they are: only that they are a list is checked. */
const areLines = (value: unknown): boolean =>
  isText(value, mostLinesCharacters) && value.startsWith("[") && value.endsWith("]")

/** Layouts are stored and returned as they are: what they hold is checked where they are decoded. */
const isLayout = (value: unknown): boolean =>
  value === undefined || (value instanceof Uint8Array && value.byteLength <= mostEncodedBytes)

const isPage = (value: unknown): value is PageResult =>
  isFields(value) &&
  isCount(value["number"]) &&
  statuses.has(value["status"]) &&
  isAmount(value["width"]) &&
  isAmount(value["height"]) &&
  isAmount(value["rotation"]) &&
  isText(value["text"], mostTextCharacters) &&
  areLines(value["lines"]) &&
  isLayout(value["layout"]) &&
  (value["error"] === undefined || isFailure(value["error"])) &&
  areWarnings(value["warnings"]) &&
  isAmount(value["elapsedMillis"])

const isMetadata = Schema.is(PdfMetadata)
const isOutline = Schema.is(Schema.Array(OutlineItem))

const isOpened = (value: unknown): value is OpenedPdf => {
  if (!isFields(value) || !Number.isSafeInteger(value["pageCount"])) return false
  const { metadata, outline } = value
  if (!isMetadata(metadata) || !isOutline(outline) || !areWarnings(value["warnings"])) return false
  if (Object.values(metadata).some((field) => typeof field === "string" && field.length > mostTextCharacters)) {
    return false
  }
  return outline.reduce((sum, { title }) => sum + title.length, 0) <= mostOutlineCharacters
}

const isTiming = (value: unknown): value is Timing =>
  isFields(value) &&
  isAmount(value["from"]) &&
  isAmount(value["to"]) &&
  isListOf(
    value["slow"],
    mostReportBytes,
    (page) => isFields(page) && isCount(page["page"]) && isAmount(page["at"]) && isAmount(page["elapsedMillis"])
  )

const isOutcome = (value: unknown): value is Outcome => {
  if (!isFields(value)) return false
  switch (value["_tag"]) {
    case "Aborted":
    case "NotHeld":
      return true
    case "Done":
      return (
        isListOf(value["results"], mostReportBytes, isPage) &&
        (value["headMillis"] === undefined || isAmount(value["headMillis"]))
      )
    case "Unreadable":
      return isFailure(value["failure"])
    case "Defect":
      return isText(value["detail"], mostWordsCharacters)
    default:
      return false
  }
}

/** Whether it has the shape of a report, down to every field that is used. */
export const isReport = (message: unknown): message is Report => {
  if (!isFields(message)) return false
  if (message["_tag"] === "Ready") return isAmount(message["rssBytes"])
  if (!isCount(message["call"])) return false
  switch (message["_tag"]) {
    case "Opened":
      return isOpened(message["opened"])
    case "Pages":
      return isListOf(message["results"], mostReportBytes, isPage)
    case "Ended":
      return (
        isOutcome(message["outcome"]) &&
        (message["timing"] === undefined || isTiming(message["timing"])) &&
        isAmount(message["rssBytes"]) &&
        isListOf(message["held"], mostHeld, (key) => isText(key, mostWordsCharacters))
      )
    default:
      return false
  }
}

/** Follows the reports of one call, and knows which may come next: each page that was asked for comes once. */
export class CallChecker {
  readonly #mayOpen: boolean
  readonly #missing: Set<number>
  #opened = false

  constructor(work: Work) {
    this.#mayOpen = work._tag === "Open"
    this.#missing = new Set(
      work._tag === "Read" ? work.pages : Array.from({ length: work.head.pages }, (_, index) => index + 1)
    )
  }

  readonly #isMissing = ({ number }: PageResult): boolean => this.#missing.delete(number)

  /** Why the report is not valid; undefined if it is. */
  objection(report: Exclude<Report, { readonly _tag: "Ready" }>): string | undefined {
    switch (report._tag) {
      case "Opened":
        if (!this.#mayOpen || this.#opened) return "it opened what it was not asked to open"
        this.#opened = true
        return undefined
      case "Pages":
        return this.#pages(report.results)
      case "Ended":
        if (report.outcome._tag !== "Done") return undefined
        if (this.#mayOpen && !this.#opened) return "it was done before it had opened the file"
        return this.#pages(report.outcome.results)
    }
  }

  #pages(results: ReadonlyArray<PageResult>): string | undefined {
    if (this.#mayOpen && results.length > 0 && !this.#opened) return "it read a file that it had not opened"
    return results.every(this.#isMissing) ? undefined : "it read pages that it was not asked for"
  }
}

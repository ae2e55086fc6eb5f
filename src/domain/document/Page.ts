import { Schema, Struct } from "effect"
import { Failure, failure } from "../Failure.ts"
import { HiddenBy, layoutExample, PageLayout } from "./PageLayout.ts"
import { StageName } from "../pipeline/Pipeline.ts"
import { type Warning, warning, Warnings } from "./Warning.ts"

/** Pages count from 1. */
export const PageNumber = Schema.Int.check(Schema.isGreaterThan(0)).annotate({ examples: [2] })

/**
 * `ok` has text; `empty` has neither text nor image; `scanned` has images but no text; `failed` and `timeout` carry an
 * error. A failure never looks like a blank page. `warnings` say what text is known to be missing, whatever the status.
 */
export const PageStatus = Schema.Literals(["ok", "empty", "scanned", "failed", "timeout"])
export type PageStatus = typeof PageStatus.Type

/** One line of text as a person sees it. PDF points; the origin is the top left corner of the page as displayed. */
export const TextLine = Schema.Struct({
  text: Schema.String,
  x: Schema.Finite,
  y: Schema.Finite,
  width: Schema.Finite,
  height: Schema.Finite
})
export type TextLine = typeof TextLine.Type

/** A word, in the same units. Its place within its span is estimated. */
export const TextWord = Schema.Struct({ ...TextLine.fields, hidden: Schema.optionalKey(HiddenBy) })
export type TextWord = typeof TextWord.Type

/** Lines as JSON text. Encoded once when the page is read, stored verbatim, and decoded only on request. */
export const EncodedLines = Schema.fromJsonString(Schema.Array(TextLine))
export const noLines = "[]"

/** Bytes of a `PageLayout`: made when the page is read, stored verbatim, and decoded only on request. */
export type EncodedLayout = Uint8Array

/**
 * The result of one page. `width` and `height` are PDF points of the page as displayed, after `rotation` (0, 90, 180 or
 * 270 degrees clockwise); all three are 0 when the page could not be opened. `elapsedMillis` is worker time.
 */
export interface PageResult {
  readonly number: number
  readonly status: PageStatus
  readonly width: number
  readonly height: number
  readonly rotation: number
  readonly text: string
  /** `EncodedLines` in its encoded form. */
  readonly lines: string
  /** Absent when the page was read without its layout, and wherever it is not asked for. */
  readonly layout?: EncodedLayout
  readonly error: Failure | undefined
  readonly warnings?: ReadonlyArray<Warning>
  readonly elapsedMillis: number
  /** The stage that provided the text. Absent: it was read from the file. */
  readonly source?: StageName
}

/** A page that has no content because reading it failed for good. */
export const failedPage = (
  number: number,
  status: Extract<PageStatus, "failed" | "timeout">,
  error: Failure,
  elapsedMillis = 0
): PageResult => ({ number, status, width: 0, height: 0, rotation: 0, text: "", lines: noLines, error, elapsedMillis })

export const isFailed = (status: PageStatus): boolean => status === "failed" || status === "timeout"

export const pageSummaryExamples = [
  { number: 1, status: "ok", width: 595.28, height: 841.89, rotation: 0, elapsedMillis: 12.4 },
  {
    number: 2,
    status: "timeout",
    width: 0,
    height: 0,
    rotation: 0,
    error: failure("PAGE_TIMEOUT", "the page was not read within 30 s"),
    elapsedMillis: 30_000
  },
  {
    number: 3,
    status: "ok",
    width: 595.28,
    height: 841.89,
    rotation: 0,
    warnings: [warning("CONTENT_CUT")],
    elapsedMillis: 9.7
  }
] as const

export const pageExamples = pageSummaryExamples.map((page) => ({
  ...page,
  text: page.status === "ok" ? "Annual report\nof the year 2029" : ""
}))

const laidOutExample = {
  ...pageSummaryExamples[0],
  text: "Annual report\nof the year 2029\nSales\n7",
  layout: layoutExample
}

/** A page as the HTTP interface shows it; `lines`, `words` and `layout` only when asked for. */
export const PageView = Schema.Struct({
  number: PageNumber,
  status: PageStatus,
  width: Schema.Finite,
  height: Schema.Finite,
  rotation: Schema.Finite,
  text: Schema.String,
  lines: Schema.optionalKey(Schema.Array(TextLine)),
  words: Schema.optionalKey(Schema.Array(TextWord)),
  layout: Schema.optionalKey(PageLayout),
  hiddenCharacters: Schema.optionalKey(
    Schema.Natural.annotate({
      description:
        "With `layout` or `words`: how many characters a reader of the page does not see. Absent when there are none."
    })
  ),
  error: Schema.optionalKey(Failure),
  warnings: Warnings,
  elapsedMillis: Schema.Finite,
  source: Schema.optionalKey(
    StageName.annotate({ description: "The stage that provided the text. Absent when it was read from the file." })
  )
}).annotate({ examples: [...pageExamples, laidOutExample] })
export type PageView = typeof PageView.Type

/** A page without its text and lines. */
export const PageSummary = Schema.Struct(
  Struct.omit(PageView.fields, ["text", "lines", "words", "layout", "hiddenCharacters"])
).annotate({
  identifier: "PageSummary",
  examples: pageSummaryExamples
})
export type PageSummary = typeof PageSummary.Type

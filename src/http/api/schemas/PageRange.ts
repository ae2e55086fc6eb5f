import { Schema } from "effect"
import { PageNumber } from "../../../domain/document/Page.ts"
import { wholeNumber } from "./WholeNumber.ts"

const range = {
  from: Schema.optionalKey(wholeNumber(PageNumber.annotate({ description: "The first page; default 1." }))),
  to: Schema.optionalKey(wholeNumber(PageNumber.annotate({ description: "The last page; default the last one." })))
}

/** The pages of a document that a request asks for, both ends included. */
export interface PageRange {
  readonly from?: number | undefined
  readonly to?: number | undefined
}

const inOrder = Schema.makeFilter(({ from = 1, to }: PageRange) =>
  to !== undefined && to < from ? { path: ["to"], issue: `Expected at least ${from}, where the range begins` } : true
)

/** A query with these parameters and the range of pages. */
export const withPageRange = <Fields extends Schema.Struct.Fields>(fields: Fields) =>
  Schema.Struct({ ...fields, ...range }).check(inOrder)

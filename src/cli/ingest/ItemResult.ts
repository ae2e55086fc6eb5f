import { Schema } from "effect"
import { DocumentStatus } from "../../domain/document/Document.ts"
import { DocumentId } from "../../domain/Ids.ts"
import { Warnings } from "../../domain/document/Warning.ts"
import { plural, printable, unstopped } from "../Text.ts"

/** The result for one file. */
export const Outcome = Schema.Struct({
  file: Schema.String,
  /** `accepted` if the command did not wait for the end, `refused` if there is no document. */
  status: Schema.Union([DocumentStatus, Schema.Literals(["accepted", "refused"])]),
  id: Schema.optionalKey(DocumentId),
  /** The server had the bytes already; `id` is the existing document. */
  duplicate: Schema.optionalKey(Schema.Boolean),
  pages: Schema.optionalKey(Schema.Natural),
  failedPages: Schema.optionalKey(Schema.Natural),
  /** Pages with warnings: text may be missing from them. */
  warnedPages: Schema.optionalKey(Schema.Natural),
  /** Warnings about the file as a whole. */
  warnings: Warnings,
  /** The file that was written. */
  out: Schema.optionalKey(Schema.String),
  error: Schema.optionalKey(Schema.Struct({ code: Schema.String, detail: Schema.String }))
})
export type Outcome = typeof Outcome.Type

export const isGood = ({ error, status }: Outcome): boolean =>
  error === undefined && (status === "completed" || status === "accepted")

/** The output of `ingest --json`. */
export const Report = Schema.Struct({
  ok: Schema.Natural,
  failed: Schema.Natural,
  documents: Schema.Array(Outcome)
})

/** An accepted document whose result was lost or not written counts as failed. */
const stateOf = ({ error, status }: Outcome): Outcome["status"] =>
  status === "accepted" && error !== undefined ? "failed" : status

/** `report.pdf: completed, 12 pages, in out/report.txt` */
export const outcomeLine = (outcome: Outcome): string => {
  const { duplicate, error, failedPages = 0, file, id, out, pages, warnedPages = 0, warnings = [] } = outcome
  const state = stateOf(outcome)
  const parts = [
    state === "accepted" ? `accepted as ${id}${duplicate === true ? ", which was there already" : ""}` : state,
    pages === undefined ? undefined : plural(pages, "page"),
    failedPages > 0 ? `${failedPages} failed` : undefined,
    warnedPages > 0 ? `${warnedPages} with warnings` : undefined,
    ...warnings.map(({ code, message }) => `${code}: ${unstopped(message)}`),
    error && `${error.code}: ${unstopped(error.detail)}`,
    out && `in ${out}`
  ]
  return printable(`${file}: ${parts.filter((part) => part !== undefined).join(", ")}`)
}

export const summaryLine = (outcomes: ReadonlyArray<Outcome>): string => {
  const counts = new Map<string, number>()
  for (const outcome of outcomes) counts.set(stateOf(outcome), (counts.get(stateOf(outcome)) ?? 0) + 1)
  const pages = outcomes.reduce((sum, outcome) => sum + (outcome.pages ?? 0), 0)
  const parts = [...counts].map(([status, count]) => `${count} ${status}`).join(", ")
  return `${plural(outcomes.length, "file")}: ${parts}${pages === 0 ? "" : `; ${plural(pages, "page")}`}`
}

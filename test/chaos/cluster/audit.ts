// What must hold after any number of troubles, judged by nothing but the evidence.
import { isTerminal } from "../../../src/domain/document/Document.ts"
import { type Finding, none } from "../findings.ts"
import { compare } from "../results.ts"
import type { Evidence } from "./evidence.ts"
import { auditHistory } from "./history.ts"
import { auditResuming } from "./resuming.ts"
import { troubleNames } from "./troubles.ts"

/** Uploads that became more than one document: each has an idempotency key. */
const doubledUploads = ({ shown }: Evidence) => {
  const ids = new Map<string, Array<string>>()
  for (const { document } of shown) ids.set(document.name, [...(ids.get(document.name) ?? []), document.id])
  return [...ids].filter(([, found]) => found.length > 1).map(([name, found]) => `${name}: ${found.join(", ")}`)
}

const auditDocuments = (evidence: Evidence): ReadonlyArray<Finding> => {
  const { acknowledged, attempted, recorded, shown } = evidence
  const known = new Set<string>(shown.map(({ document }) => document.id))
  const compared = shown.flatMap(({ document, pages }) => {
    const upload = attempted.get(document.name)
    return upload === undefined ? [] : [compare(upload, document, pages)]
  })
  const sum = (of: (each: (typeof compared)[number]) => number) => compared.reduce((total, each) => total + of(each), 0)
  const lost = [...acknowledged].flatMap(([id, { name }]) => (known.has(id) ? [] : [`${name} ${id}`]))
  const removed = recorded.changes.filter(({ status }) => status === null).map(({ document }) => `${document}: removed`)
  return [
    { what: "uploads acknowledged", found: acknowledged.size },
    { what: "uploads never acknowledged", found: attempted.size - acknowledged.size },
    { what: "pages with a result", found: sum((each) => each.pages) },
    none("documents lost", [...lost, ...removed]),
    none("documents doubled", doubledUploads(evidence)),
    none(
      "documents stuck",
      shown.flatMap(({ document }) => (isTerminal(document.status) ? [] : [`${document.id}: ${document.status}`]))
    ),
    none(
      "documents nobody uploaded",
      shown.flatMap(({ document }) => (attempted.has(document.name) ? [] : [`${document.name} ${document.id}`]))
    ),
    none(
      "documents with the wrong end",
      compared.flatMap((each) => each.wrongEnd)
    ),
    { what: "pages doubled", found: sum((each) => each.doubled), allowed: 0 },
    { what: "pages missing or surplus", found: sum((each) => each.missing), allowed: 0 },
    none(
      "pages with the wrong result",
      compared.flatMap((each) => each.wrongPages)
    )
  ]
}

export interface AuditOptions {
  /** Whether times to resume have bounds. */
  readonly isResumingBounded: boolean
}

export const audit = (evidence: Evidence, { isResumingBounded }: AuditOptions): ReadonlyArray<Finding> => {
  const { counters, readings, recorded, troubles } = evidence
  const readingCount = readings.reduce((total, { pages }) => total + pages.length, 0)
  return [
    ...troubleNames.map((name) => ({
      what: `troubles: ${name}`,
      found: troubles.filter((trouble) => trouble.name === name).length
    })),
    { what: "uploads sent again", found: evidence.sentAgain },
    { what: "starts that failed while the database was away", found: evidence.failedStarts },
    ...auditDocuments(evidence),
    ...auditHistory(recorded, readings),
    { what: "readings of pages that were begun", found: readingCount },
    { what: "documents waiting or running at the end", found: counters.waiting + counters.running, allowed: 0 },
    none("originals lost", evidence.missingOriginals),
    none("answers that no trouble explains", evidence.wrongAnswers),
    none("runners that ended wrongly", evidence.wrongEnds),
    none("orphaned page workers", evidence.orphans),
    ...auditResuming(evidence, isResumingBounded)
  ]
}

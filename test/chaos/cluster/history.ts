// What must never have happened, in the order in which the database saw it.
import { isTerminal } from "../../../src/domain/document/Document.ts"
import { type Finding, none } from "../findings.ts"
import type { Change, Recorded, Save } from "./record.ts"
import type { Reading } from "./runners.ts"

const step = ({ attempt, attemptBefore, before, document, process, status }: Change) =>
  `${document}: ${before ?? "nothing"} (attempt ${attemptBefore}) to ${status ?? "nothing"} (attempt ${attempt}) by ${process}`

/** An attempt that is less than an earlier one, or a run that did not get a new one. */
const wrongAttempts = (changes: ReadonlyArray<Change>) => {
  const last = new Map<string, number>()
  return changes.flatMap((change) => {
    const { attempt, attemptBefore, before, document, status } = change
    const known = last.get(document) ?? 0
    last.set(document, attempt)
    const begins = status === "running" && (before !== "running" || attempt !== attemptBefore)
    const grows = attempt >= attemptBefore && attemptBefore === known && (!begins || attempt > attemptBefore)
    return grows ? [] : [step(change)]
  })
}

/** A run that was begun while another one had the document. */
const takenWhileRun = (changes: ReadonlyArray<Change>) =>
  changes.filter(({ before, status }) => before === "running" && status === "running").map(step)

const endedTwice = (changes: ReadonlyArray<Change>) =>
  changes.filter(({ before, status }) => before !== null && isTerminal(before) && status !== null).map(step)

/** A run's end has to be written by the run that has the document. What ends a document from outside asks for no attempt. */
const staleEnds = (changes: ReadonlyArray<Change>) =>
  changes
    .filter(
      ({ attemptBefore, before, fence, status }) =>
        before === "running" &&
        status !== null &&
        isTerminal(status) &&
        status !== "cancelled" &&
        fence !== attemptBefore
    )
    .map((change) => `${step(change)}, under ${change.fence ?? "no attempt"}`)

const staleSaves = (saves: ReadonlyArray<Save>) =>
  saves
    .filter(({ attempt, fence, status }) => fence !== attempt || status !== "running")
    .map(
      ({ attempt, document, fence, page, process, status }) =>
        `${document} page ${page} by ${process} under ${fence ?? "no attempt"}, while it was ${status} (attempt ${attempt})`
    )

const key = (document: string, page: number) => `${document} page ${page}`

const savedTwice = (saves: ReadonlyArray<Save>) => {
  const seen = new Set<string>()
  return saves.flatMap(({ document, page, process }) => {
    const saved = key(document, page)
    if (seen.has(saved)) return [`${saved}, again by ${process}`]
    seen.add(saved)
    return []
  })
}

/** A later attempt knows what earlier ones saved: writes under an attempt end when the next one begins. */
const readAgain = (saves: ReadonlyArray<Save>, readings: ReadonlyArray<Reading>) => {
  const savedUnder = new Map(saves.map(({ attempt, document, fence, page }) => [key(document, page), fence ?? attempt]))
  return readings.flatMap(({ attempt, document, pages }) =>
    pages.flatMap((page) => {
      const earlier = savedUnder.get(key(document, page))
      return earlier !== undefined && earlier < attempt
        ? [`${key(document, page)}: saved under attempt ${earlier}, read again under ${attempt}`]
        : []
    })
  )
}

const leftOpen = (changes: ReadonlyArray<Change>) => {
  const last = new Map(changes.map((change) => [change.document, change.status]))
  return [...last].flatMap(([document, status]) =>
    status === null || isTerminal(status) ? [] : [`${document}: ${status}`]
  )
}

export const auditHistory = (
  { changes, saves }: Recorded,
  readings: ReadonlyArray<Reading>
): ReadonlyArray<Finding> => [
  none("documents that the database shows without an end", leftOpen(changes)),
  none("documents whose attempts did not grow", wrongAttempts(changes)),
  none("documents taken while another run had them", takenWhileRun(changes)),
  none("documents that ended twice", endedTwice(changes)),
  none("ends written under an old attempt", staleEnds(changes)),
  none("pages written under an old attempt", staleSaves(saves)),
  none("pages written twice", savedTwice(saves)),
  none("finished pages read again", readAgain(saves, readings))
]

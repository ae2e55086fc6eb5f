/** `ChangeLog` of the store in memory. */
import { Effect } from "effect"
import type { Change, PageChange } from "../../../domain/Change.ts"
import { ChangeLog, cursorAt, numberedCursors } from "../ChangeLog.ts"
import { DocumentNotFound } from "../StoreErrors.ts"
import type { Entry } from "./ChangeEntries.ts"
import { documentSize, portionBytes, upTo } from "../../../domain/document/Portions.ts"
import { type Records, type Stored, toDocument } from "./Records.ts"

const pageChange = (stored: Stored, number: number, page: number): ReadonlyArray<PageChange> => {
  const result = stored.pages.get(page)
  if (result === undefined) return []
  const { id: documentId, tenantId } = stored.accepted
  const { progress } = toDocument(stored)
  return [{ _tag: "Page", cursor: cursorAt(number), tenantId, documentId, page, status: result.status, progress }]
}

const toChanges = ({ number, page, stored }: Entry<Stored>): ReadonlyArray<Change> =>
  page === undefined
    ? [{ _tag: "Document", cursor: cursorAt(number), document: toDocument(stored) }]
    : pageChange(stored, number, page)

const changeSize = (change: Change): number => (change._tag === "Page" ? 0 : documentSize(change.document))

export const changeLogMemory = (records: Records) =>
  ChangeLog.of({
    ...numberedCursors(Effect.sync(() => records.log.last)),
    changes: ({ after, limit, tenant }) =>
      Effect.sync(() => {
        const found = records.log.after(after, limit)
        const own = found.entries.filter(({ stored }) => tenant === undefined || stored.accepted.tenantId === tenant)
        const all = own.flatMap(toChanges)
        const told = upTo(all, portionBytes, changeSize)
        const isCut = told.length < all.length
        const complete = found.complete && !isCut
        const lastLooked = isCut ? told.at(-1)?.cursor : found.entries.at(-1)?.number
        return {
          changes: told,
          through: cursorAt(complete ? Math.max(records.log.last, after) : (lastLooked ?? after)),
          complete
        }
      }),
    changesOf: Effect.fnUntraced(function* (tenant, id, { after = -1, limit }) {
      const stored = records.byId.get(id)
      if (stored === undefined || stored.accepted.tenantId !== tenant) {
        return yield* new DocumentNotFound({ documentId: id })
      }
      const all = Array.from(stored.pageChanges)
        .filter(([, number]) => number > after)
        .toSorted(([, a], [, b]) => a - b)
      const pages = all.slice(0, limit).flatMap(([page, number]) => pageChange(stored, number, page))
      const complete = all.length <= limit
      const through = complete ? Math.max(records.log.last, after) : (pages.at(-1)?.cursor ?? after)
      return {
        document: toDocument(stored),
        cursor: cursorAt(stored.changed),
        pages,
        through: cursorAt(through),
        complete
      }
    })
  })

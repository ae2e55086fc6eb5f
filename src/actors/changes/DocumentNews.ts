import { Effect, Option, Order } from "effect"
import type { Change, ChangeCursor } from "../../domain/Change.ts"
import { type Document, isTerminal } from "../../domain/document/Document.ts"
import type { DocumentId, TenantId } from "../../domain/Ids.ts"
import type { ChangeLog } from "../../services/store/ChangeLog.ts"
import type { StoreUnavailable } from "../../services/store/StoreErrors.ts"
import type { News } from "../Ingestion.ts"
import { type ChangeBroadcaster, portion } from "./ChangeBroadcaster.ts"
import type { Watcher } from "./Watchers.ts"
import type { Source } from "./WatchStream.ts"

export interface WatchedDocument {
  readonly tenant: TenantId
  readonly id: DocumentId
  /** What the client has; nothing when absent. */
  readonly after: ChangeCursor | undefined
}

/** What the reading of one document's changes needs, and how far it is. */
interface Reading {
  readonly changeLog: ChangeLog["Service"]
  readonly broadcaster: ChangeBroadcaster
  readonly describe: (document: Document) => Effect.Effect<Document, StoreUnavailable>
  readonly subject: WatchedDocument
  readonly watcher: Watcher
  /** The store was not read yet. */
  isFirst: boolean
  /** Of the last state that was sent. */
  sent: ChangeCursor | undefined
  hasEnded: boolean
}

const newsOf = ({ changeLog }: Reading, change: Change): News => ({
  _tag: "Changed",
  id: changeLog.idOf(change.cursor),
  change
})

/** The state at `cursor`. With the id of `knownTo`, the client can ask for everything that comes after it. */
const stateNews = Effect.fnUntraced(function* (
  reading: Reading,
  cursor: ChangeCursor,
  found: Document,
  knownTo: ChangeCursor
) {
  reading.sent = cursor
  reading.hasEnded = isTerminal(found.status)
  const change: Change = { _tag: "Document", cursor, document: yield* reading.describe(found) }
  return { _tag: "Changed", id: reading.changeLog.idOf(knownTo), change } satisfies News
})

const isNew = ({ changeLog, sent }: Reading, cursor: ChangeCursor): boolean =>
  sent === undefined || changeLog.order(cursor, sent) > 0

const readStore = Effect.fnUntraced(function* (reading: Reading) {
  const { changeLog, subject, watcher } = reading
  const before = watcher.cursor
  const after = reading.isFirst ? subject.after : before
  reading.isFirst = false
  const found = yield* changeLog.changesOf(subject.tenant, subject.id, { after, limit: portion })
  watcher.cursor = found.through
  const pages = found.pages.map((page) => newsOf(reading, page))
  if (isTerminal(found.document.status)) {
    const knownTo = Order.max(changeLog.order)(found.cursor, found.through)
    return found.complete ? [...pages, yield* stateNews(reading, found.cursor, found.document, knownTo)] : pages
  }
  return isNew(reading, found.cursor)
    ? [yield* stateNews(reading, found.cursor, found.document, before), ...pages]
    : pages
})

/** A document that is not there any more has ended. */
const fromStore = (reading: Reading) =>
  Effect.catchTag(readStore(reading), "DocumentNotFound", () =>
    Effect.sync((): ReadonlyArray<News> => {
      reading.hasEnded = true
      return []
    })
  )

const fromRing = Effect.fnUntraced(function* (reading: Reading, changes: ReadonlyArray<Change>) {
  const news: Array<News> = []
  for (const change of changes) {
    if (reading.hasEnded) break
    if (change._tag === "Page") news.push(newsOf(reading, change))
    else if (isNew(reading, change.cursor)) {
      news.push(yield* stateNews(reading, change.cursor, change.document, change.cursor))
    }
  }
  return news
})

const take = Effect.fnUntraced(function* (reading: Reading) {
  const { broadcaster, watcher } = reading
  for (;;) {
    const mustRead = reading.isFirst || watcher.isInDoubt
    watcher.isInDoubt = false
    const taken = mustRead ? Option.none() : broadcaster.take(watcher)
    if (Option.isSome(taken) && taken.value.length === 0) return []
    const news = yield* Option.isSome(taken) ? fromRing(reading, taken.value) : fromStore(reading)
    if (news.length > 0 || reading.hasEnded) return news
  }
})

/** First the document in its present state, then every page and every change of state, and last its end. */
export const documentNews = (
  services: Pick<Reading, "changeLog" | "broadcaster" | "describe">,
  subject: WatchedDocument,
  watcher: Watcher
): Source => {
  watcher.cursor = subject.after ?? services.changeLog.beginning
  const reading: Reading = { ...services, subject, watcher, isFirst: true, sent: undefined, hasEnded: false }
  return { take: take(reading), hasEnded: () => reading.hasEnded }
}

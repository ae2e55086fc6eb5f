import { Effect, Option, Semaphore, Stream } from "effect"
import { type Document, isTerminal } from "../../domain/document/Document.ts"
import type { DocumentId, TenantId } from "../../domain/Ids.ts"
import { ChangeLog } from "../../services/store/ChangeLog.ts"
import type { StoreUnavailable } from "../../services/store/StoreErrors.ts"
import type { News, QueueStatus } from "../Ingestion.ts"
import { makeChangeBroadcaster } from "./ChangeBroadcaster.ts"
import { documentNews, type WatchedDocument } from "./DocumentNews.ts"
import { makeQueueStatusFeed } from "./QueueStatusFeed.ts"
import { makeReadBehind, tenantNews } from "./TenantNews.ts"
import type { WatchKey } from "./Watchers.ts"
import { makeWatchStream } from "./WatchStream.ts"

/** The number of streams that may catch up from the store at once; the others wait their turn after each portion. */
const concurrentCatchUps = 2

/** The live streams of changes. A client that reconnects also receives everything since the last news it received. */
export const makeChangeFeed = Effect.fnUntraced(function* (options: {
  readonly queueStatus: (tenant?: TenantId) => Effect.Effect<QueueStatus, StoreUnavailable>
  /** The document, with why it waits and for how long. */
  readonly describe: (document: Document) => Effect.Effect<Document, StoreUnavailable>
}) {
  const changeLog = yield* ChangeLog
  const broadcaster = yield* makeChangeBroadcaster
  const queues = yield* makeQueueStatusFeed(broadcaster, options.queueStatus)
  const readBehind = makeReadBehind(changeLog, yield* Semaphore.make(concurrentCatchUps))
  const watchStream = makeWatchStream(broadcaster, changeLog)
  const services = { broadcaster, changeLog, describe: options.describe }

  const watch = (tenant: TenantId | undefined, after: number | undefined) =>
    Stream.unwrap(
      Effect.gen(function* () {
        const key: WatchKey = tenant === undefined ? "all" : `tenant ${tenant}`
        const watcher = yield* broadcaster.watch(key)
        const latestQueue = yield* queues.watch(key, tenant)
        watcher.cursor =
          after === undefined
            ? yield* changeLog.last
            : Option.getOrElse(yield* changeLog.resume(after), () => changeLog.beginning)
        const greeting: News = { _tag: "Quiet", id: changeLog.idOf(watcher.cursor) }
        const source = tenantNews({ broadcaster, changeLog, latestQueue, readBehind }, tenant, watcher)
        return Stream.concat(Stream.make(greeting), watchStream(watcher, source))
      })
    )

  const streamOf = (subject: WatchedDocument) =>
    Stream.unwrap(
      Effect.map(broadcaster.watch(`document ${subject.id}`), (watcher) =>
        watchStream(watcher, documentNews(services, subject, watcher))
      )
    )

  const watchDocument = Effect.fnUntraced(function* (tenant: TenantId, id: DocumentId, kept: number | undefined) {
    const after = kept === undefined ? undefined : Option.getOrUndefined(yield* changeLog.resume(kept))
    const { cursor, document, pages } = yield* changeLog.changesOf(tenant, id, { after, limit: 1 })
    const knowsAll =
      after !== undefined && isTerminal(document.status) && changeLog.order(cursor, after) <= 0 && pages.length === 0
    return knowsAll ? Option.none() : Option.some(streamOf({ tenant, id, after }))
  })

  /** Returns an effect; each run of it waits until the document has changed since the previous run. */
  const changed = Effect.fnUntraced(function* (id: DocumentId) {
    const watcher = yield* broadcaster.watch(`document ${id}`)
    watcher.isIdle = true
    return Effect.andThen(
      watcher.bell.await,
      Effect.sync(() => {
        broadcaster.listen(watcher)
        watcher.isIdle = true
      })
    )
  })

  return { watch, watchDocument, changed, held: broadcaster.held }
})

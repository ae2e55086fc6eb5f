import { Clock, Duration, Effect, Option, Semaphore, Stream } from "effect"
import type { Change } from "../../domain/Change.ts"
import { type Document, isTerminal } from "../../domain/document/Document.ts"
import type { DocumentId, TenantId } from "../../domain/Ids.ts"
import { ChangeLog } from "../../services/store/ChangeLog.ts"
import type { StoreUnavailable } from "../../services/store/StoreErrors.ts"
import { makeChangeBroadcaster, portion, type Watcher, type WatchKey } from "./ChangeBroadcaster.ts"
import { makeQueueStatusFeed } from "./QueueStatusFeed.ts"
import type { News, QueueStatus } from "../Ingestion.ts"

/** The interval at which a stream without news sends a heartbeat. */
const heartbeatMillis = Duration.toMillis("15 seconds")

/** The number of streams that may catch up from the store at once; the others wait their turn after each portion. */
const concurrentCatchUps = 2

/** Yields to everything else that is due in the event loop, since the reads of the store here are synchronous. */
const breather = Effect.callback<void>((resume) => {
  const timer = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(timer))
})

interface Source {
  /** The news since the last take, or an empty array. */
  readonly take: Effect.Effect<ReadonlyArray<News>, StoreUnavailable>
  readonly hasEnded: () => boolean
}

/** The live streams of changes. A client that reconnects also receives everything since the last news it received. */
export const makeChangeFeed = Effect.fnUntraced(function* (options: {
  readonly queueStatus: (tenant?: TenantId) => Effect.Effect<QueueStatus, StoreUnavailable>
  /** The document, with why it waits and for how long. */
  readonly describe: (document: Document) => Effect.Effect<Document, StoreUnavailable>
}) {
  const changeLog = yield* ChangeLog
  const broadcaster = yield* makeChangeBroadcaster
  const queues = yield* makeQueueStatusFeed(broadcaster, options.queueStatus)
  const catchUps = yield* Semaphore.make(concurrentCatchUps)

  /** Takes from the source whenever the watcher's bell rings, and sends heartbeats in between. */
  const streamOf = (watcher: Watcher, { hasEnded, take }: Source) =>
    Stream.unwrap(
      Effect.map(Clock.currentTimeMillis, (start) => {
        watcher.heartbeatAt = start + heartbeatMillis
        const next = Effect.gen(function* () {
          for (;;) {
            const now = yield* Clock.currentTimeMillis
            if (now >= watcher.heartbeatAt) {
              watcher.heartbeatAt = now + heartbeatMillis
              const quiet: News = { _tag: "Quiet", id: Math.max(0, broadcaster.knownTo(watcher)) }
              return [quiet]
            }
            broadcaster.listen(watcher)
            const news = yield* take
            if (news.length > 0 || hasEnded()) return news
            yield* watcher.bell.await
          }
        })
        return Stream.paginate(undefined, () =>
          Effect.map(next, (news) => [news, hasEnded() ? Option.none() : Option.some(undefined)] as const)
        )
      })
    )

  const watch = (tenant: TenantId | undefined, after: number | undefined) =>
    Stream.unwrap(
      Effect.gen(function* () {
        const key: WatchKey = tenant === undefined ? "all" : `tenant ${tenant}`
        const watcher = yield* broadcaster.watch(key)
        const latestQueue = yield* queues.watch(key, tenant)
        const last = yield* changeLog.last
        // A number from the future says nothing of what the client has received.
        watcher.cursor = after === undefined ? last : after > last ? 0 : after
        const greeting: News = { _tag: "Quiet", id: watcher.cursor }
        let toldQueue: QueueStatus | undefined

        const changes = Effect.gen(function* () {
          for (;;) {
            const taken = broadcaster.take(watcher)
            if (Option.isSome(taken)) return taken.value
            const part = yield* changeLog
              .changes({ after: watcher.cursor, limit: portion, tenant })
              .pipe(Effect.tap(breather), catchUps.withPermit)
            watcher.cursor = part.through
            if (part.changes.length > 0) return part.changes
          }
        })
        const take = Effect.map(changes, (found) => {
          const news: Array<News> = found.map((change) => ({ _tag: "Changed", id: change.number, change }))
          const queue = latestQueue()
          if (queue === undefined || queue === toldQueue) return news
          toldQueue = queue
          const id = news.at(-1)?.id ?? broadcaster.knownTo(watcher)
          return [...news, { _tag: "Queue", id, status: queue } satisfies News]
        })
        return Stream.concat(Stream.make(greeting), streamOf(watcher, { take, hasEnded: () => false }))
      })
    )

  /** First the document in its present state, then every page and every change of state, and last its end. */
  const documentNews = (tenant: TenantId, id: DocumentId, after: number | undefined) =>
    Stream.unwrap(
      Effect.gen(function* () {
        const watcher = yield* broadcaster.watch(`document ${id}`)
        // Changes made before changes were numbered come after -1.
        watcher.cursor = after ?? -1
        let sentNumber = -1
        let hasEnded = false
        const newsOf = (change: Change): News => ({ _tag: "Changed", id: change.number, change })
        /** The news of a state. With its id the client can ask for everything after it. */
        const stateNews = Effect.fnUntraced(function* (number: number, found: Document, cursor: number) {
          sentNumber = number
          hasEnded = isTerminal(found.status)
          const document = yield* options.describe(found)
          const change: Change = { _tag: "Document", number, document }
          return { _tag: "Changed", id: Math.max(0, cursor), change } satisfies News
        })

        const fromStore = Effect.gen(function* () {
          const { cursor } = watcher
          const { complete, document, number, pages, through } = yield* changeLog.changesOf(tenant, id, {
            after: cursor,
            limit: portion
          })
          watcher.cursor = through
          const news = pages.map(newsOf)
          const isNew = number > sentNumber
          if (!isTerminal(document.status)) {
            return isNew ? [yield* stateNews(number, document, cursor), ...news] : news
          }
          return complete ? [...news, yield* stateNews(number, document, Math.max(number, through))] : news
        }).pipe(
          Effect.catchTag("DocumentNotFound", () =>
            Effect.sync((): ReadonlyArray<News> => {
              hasEnded = true
              return []
            })
          )
        )
        const fromRing = Effect.fnUntraced(function* (changes: ReadonlyArray<Change>) {
          const news: Array<News> = []
          for (const change of changes) {
            if (hasEnded) break
            if (change._tag === "Page") news.push(newsOf(change))
            else if (change.number > sentNumber)
              news.push(yield* stateNews(change.number, change.document, change.number))
          }
          return news
        })
        let isFirst = true
        const take = Effect.gen(function* () {
          for (;;) {
            const isInDoubt = watcher.isInDoubt
            watcher.isInDoubt = false
            const taken = isFirst || isInDoubt ? Option.none() : broadcaster.take(watcher)
            isFirst = false
            if (Option.isSome(taken) && taken.value.length === 0) return []
            const news = yield* Option.match(taken, { onNone: () => fromStore, onSome: fromRing })
            if (news.length > 0 || hasEnded) return news
          }
        })
        return streamOf(watcher, { take, hasEnded: () => hasEnded })
      })
    )

  return {
    watch,

    watchDocument: Effect.fnUntraced(function* (tenant: TenantId, id: DocumentId, after: number | undefined) {
      // A number from the future says nothing of what the client has received.
      const known = after !== undefined && after <= (yield* changeLog.last) ? after : undefined
      const { document, number, pages } = yield* changeLog.changesOf(tenant, id, { after: known ?? -1, limit: 1 })
      const knowsAll = known !== undefined && isTerminal(document.status) && number <= known && pages.length === 0
      return knowsAll ? Option.none() : Option.some(documentNews(tenant, id, known))
    }),

    /** Returns an effect; each run of it waits until the document has changed since the previous run. */
    changed: Effect.fnUntraced(function* (id: DocumentId) {
      const watcher = yield* broadcaster.watch(`document ${id}`)
      watcher.isIdle = true
      return Effect.andThen(
        watcher.bell.await,
        Effect.sync(() => {
          broadcaster.listen(watcher)
          watcher.isIdle = true
        })
      )
    }),

    held: broadcaster.held
  }
})

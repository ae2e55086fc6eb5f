import { Clock, Duration, Effect, Option, Stream } from "effect"
import type { ChangeLog } from "../../services/store/ChangeLog.ts"
import type { StoreUnavailable } from "../../services/store/StoreErrors.ts"
import type { News } from "../Ingestion.ts"
import type { ChangeBroadcaster } from "./ChangeBroadcaster.ts"
import type { Watcher } from "./Watchers.ts"

/** The interval at which a stream without news sends a heartbeat. */
const heartbeatMillis = Duration.toMillis("15 seconds")

export interface Source {
  /** The news since the last take, or an empty array. */
  readonly take: Effect.Effect<ReadonlyArray<News>, StoreUnavailable>
  readonly hasEnded: () => boolean
}

/** Makes streams that take from a source whenever their watcher's bell rings, and send heartbeats in between. */
export const makeWatchStream =
  (broadcaster: ChangeBroadcaster, { idOf }: ChangeLog["Service"]) =>
  (watcher: Watcher, { hasEnded, take }: Source): Stream.Stream<News, StoreUnavailable> =>
    Stream.unwrap(
      Effect.map(Clock.currentTimeMillis, (start) => {
        watcher.heartbeatAt = start + heartbeatMillis
        const next = Effect.gen(function* () {
          for (;;) {
            const now = yield* Clock.currentTimeMillis
            if (now >= watcher.heartbeatAt) {
              watcher.heartbeatAt = now + heartbeatMillis
              const quiet: News = { _tag: "Quiet", id: idOf(broadcaster.knownTo(watcher)) }
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

export type WatchStream = ReturnType<typeof makeWatchStream>

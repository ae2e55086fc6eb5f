import { Context, Data, type Effect } from "effect"
import type { PoolName } from "../../services/pools/Pools.ts"
import type { Answer, News } from "./TurnsProtocol.ts"

/** The news may have been heard or not. */
export class TurnsUnavailable extends Data.TaggedError("TurnsUnavailable")<{ readonly detail: string }> {}

/** The way of this runner to what gives turns of all runners' workers. */
export class Turns extends Context.Service<
  Turns,
  {
    /** This runner. */
    readonly runner: PoolName
    /** Says news. The answer comes when there is something to tell, or when later news have come, or after half a second. */
    readonly take: (news: News) => Effect.Effect<Answer, TurnsUnavailable>
  }
>()("sluice/actors/turns/Turns") {}

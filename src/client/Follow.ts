import { Duration, Effect, Option, Stream } from "effect"
import { isTerminal } from "../domain/document/Document.ts"
import type { DocumentId } from "../domain/Ids.ts"
import { isBusy } from "./ClientErrors.ts"
import type { FollowOptions, Interface } from "./ClientInterface.ts"

const shortest = Duration.millis(100)

/** The wait before the next poll grows by half each time; `failures` counts the polls in a row that failed. */
export const followWith =
  (status: Interface["status"]): Interface["follow"] =>
  (id: DocumentId, { longest = "5 seconds", patience = 10 }: FollowOptions = {}) =>
    Stream.paginate({ delay: Duration.zero, failures: 0 }, ({ delay, failures }) =>
      Effect.gen(function* () {
        if (Duration.isGreaterThan(delay, Duration.zero)) yield* Effect.sleep(delay)
        const later = Duration.min(
          Duration.max(Duration.times(delay, 1.5), shortest),
          Duration.fromInputUnsafe(longest)
        )
        const seen = yield* Effect.result(status(id))
        if (seen._tag === "Success") {
          const next = isTerminal(seen.success.status) ? Option.none() : Option.some({ delay: later, failures: 0 })
          return [[seen.success], next] as const
        }
        const error = seen.failure
        const isPassing = isBusy(error) || error._tag === "Unreachable"
        if (!isPassing || failures >= patience) return yield* error
        const retryAfter = isBusy(error) ? Duration.seconds(error.retryAfter ?? 0) : Duration.zero
        return [[], Option.some({ delay: Duration.max(later, retryAfter), failures: failures + 1 })] as const
      })
    )

export const waitForWith = (status: Interface["status"], follow: Interface["follow"]) =>
  Effect.fn("SluiceClient.waitFor")(function* (id: DocumentId, options?: FollowOptions) {
    const last = yield* Stream.runLast(follow(id, options))
    return yield* Option.match(last, { onSome: Effect.succeed, onNone: () => status(id) })
  })

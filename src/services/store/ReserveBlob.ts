import { Effect, Option } from "effect"
import type { BlobReference } from "./BlobReferences.ts"

/** How often an upload that waits for a removal looks again. A removal takes some milliseconds. */
const lookAgain = "50 millis"

/** Attempts to reserve until no removal is under way any more. */
export const untilReserved = <E>(
  attempt: Effect.Effect<Option.Option<BlobReference>, E>
): Effect.Effect<BlobReference, E> =>
  Effect.flatMap(attempt, (reference) =>
    Option.isSome(reference)
      ? Effect.succeed(reference.value)
      : Effect.andThen(
          Effect.sleep(lookAgain),
          Effect.suspend(() => untilReserved(attempt))
        )
  )

import { type Effect, Stream } from "effect"
import { heartbeat } from "../../live/LiveStreams.ts"

/** JSON may start with whitespace, so an answer can start before its content is known. */
const blank = "\n"

/**
 * A JSON answer that starts before its content is known: whitespace at once and with every heartbeat until `found` has ended,
 * then `answer`.
 */
export const jsonWhenFound = <E, E2, R, R2>(
  found: Effect.Effect<void, E, R>,
  answer: Effect.Effect<Uint8Array, E2, R2>
): Stream.Stream<Uint8Array, E | E2, R | R2> => {
  const beats = Stream.tick(heartbeat).pipe(
    Stream.map(() => blank),
    Stream.encodeText,
    Stream.interruptWhen(found)
  )
  return Stream.concat(beats, Stream.fromEffect(answer))
}

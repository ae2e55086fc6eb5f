import { type Effect, Stream } from "effect"
import { heartbeat } from "../../live/LiveStreams.ts"

/** JSON may have blanks before it, so an answer that begins with some has begun, and is still to come. */
const blank = "\n"

/**
 * An answer in JSON that has begun before it is known: blanks at once, and with every heartbeat until `found` has ended; then
 * `answer`.
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

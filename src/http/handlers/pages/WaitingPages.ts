// Answers that wait until a page has a result.
import { Duration, Effect, Option, Stream } from "effect"
import type { Ingestion } from "../../../actors/Ingestion.ts"
import { isTerminal } from "../../../domain/document/Document.ts"
import type { DocumentId, TenantId } from "../../../domain/Ids.ts"
import { documentProblems } from "../../api/problems/Failures.ts"
import { heartbeat, type LiveStreams } from "../../live/LiveStreams.ts"

/**
 * Waits until a page from `from` to `to` has a result, the document has ended, or the longest time has passed; `None` if there is
 * nothing to wait for.
 */
export const waitForPages = Effect.fnUntraced(function* (
  { ingestion, streams }: { readonly ingestion: Ingestion["Service"]; readonly streams: LiveStreams["Service"] },
  tenant: TenantId,
  id: DocumentId,
  { from, longest, to }: { readonly from: number; readonly to: number; readonly longest: Duration.Duration }
) {
  if (Duration.isZero(longest)) return Option.none()
  const isReady = Effect.gen(function* () {
    const found = yield* ingestion.pages(tenant, id, { from, limit: 1, detail: false, summary: true })
    return found.some(({ number }) => number <= to) || isTerminal((yield* ingestion.find(tenant, id)).status)
  })
  if (yield* documentProblems(isReady)) return Option.none()
  yield* streams.enter(tenant)
  const found = Effect.gen(function* () {
    const changed = yield* ingestion.changed(id)
    while (!(yield* isReady)) yield* changed
  }).pipe(
    Effect.scoped,
    Effect.catchTag("DocumentNotFound", () => Effect.void)
  )
  return Option.some(Effect.raceFirst(found, Effect.raceFirst(Effect.sleep(longest), streams.closed)))
})

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

import { Duration, Effect, Stream } from "effect"
import { TestClock } from "effect/testing"
import type { Scenario } from "./Scenario.ts"
import type { World } from "./World.ts"

/** A blob is left alone for an hour, and looked at every hour. */
const sweptWithin = Duration.hours(2)

/** Hours after everything has ended, nothing is left of what was to be kept for some time, nor bytes that nobody refers to. */
export const hoursLater = Effect.fnUntraced(function* (
  scenario: Scenario,
  { blobs, history, ledger, references }: World
) {
  for (let passed = 0; passed < Duration.toMillis(sweptWithin) + 600_000; passed += 60_000) {
    yield* TestClock.adjust("1 minute")
  }
  if (scenario.limits.retention !== undefined) {
    const left = [...ledger.entries.values()].filter(({ removed }) => !removed)
    if (left.length > 0) history.violate("what was kept for long enough is removed", left[0]?.label ?? "")
  }
  yield* blobs.list.pipe(
    Stream.filterEffect(({ hash }) => Effect.map(references.refersTo(hash), (used) => !used)),
    Stream.runForEach(({ hash }) => Effect.sync(() => history.violate("no bytes are left that nobody refers to", hash)))
  )
}, Effect.orDie)

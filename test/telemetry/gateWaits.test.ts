import { assert, describe, it } from "@effect/vitest"
import { Effect, Tracer } from "effect"
import { TestClock } from "effect/testing"
import { soundDocument } from "../../src/services/PdfEngineScripted.ts"
import { acme, startEngine, tenant, until, type WorldOptions } from "../support/engine.ts"

const quiet = tenant("quiet")
const scripts = {
  /** It has one range, so it gives way to nobody. */
  long: soundDocument(1, "10 seconds"),
  large: soundDocument(400, "100 millis"),
  short: soundDocument(2, "10 millis")
}

interface Told {
  readonly name: string
  readonly traceId: string
  readonly from: number
  readonly to: number
}

const millis = (nanos: bigint) => Number(nanos / 1_000_000n)

const toldBy = (spans: ReadonlyArray<Tracer.NativeSpan>): ReadonlyArray<Told> =>
  spans.flatMap(({ name, status, traceId }) =>
    status._tag === "Ended" ? [{ name, traceId, from: millis(status.startTime), to: millis(status.endTime) }] : []
  )

/** An engine whose spans are kept; what is submitted under a name is found under it. */
const tracedEngine = Effect.fnUntraced(function* (options: WorldOptions) {
  const spans: Array<Tracer.NativeSpan> = []
  const tracer = Tracer.make({
    span: (span) => {
      const made = new Tracer.NativeSpan(span)
      spans.push(made)
      return made
    }
  })
  const engine = yield* Effect.provideService(startEngine({ scripts, capacity: 8, ...options }), Tracer.Tracer, tracer)
  const submit = (document: string, script: keyof typeof scripts, owner = acme) =>
    engine
      .submit(script, owner)
      .pipe(Effect.withSpan(document, { root: true }), Effect.provideService(Tracer.Tracer, tracer))
  const waits = (document: string) => {
    const { traceId } = spans.find(({ name }) => name === document) ?? assert.fail(document)
    return toldBy(spans)
      .filter((span) => span.traceId === traceId && /^Gate\.(tenant|global)$/.test(span.name))
      .map(({ from, name, to }) => [name, from, to] as const)
  }
  const runs = (document: string) => {
    const { traceId } = spans.find(({ name }) => name === document) ?? assert.fail(document)
    return toldBy(spans).filter((span) => span.traceId === traceId && span.name === "DocumentActor.run")
  }
  const first = (document: string) => runs(document)[0] ?? assert.fail(document)
  const ended = (count: number) => until(Effect.map(engine.store.stats(), ({ processed }) => processed === count))
  return { ...engine, submit, waits, runs, first, ended }
})

describe("the wait of a document before it is claimed", () => {
  it.effect("is none where every gate has a permit", () =>
    Effect.gen(function* () {
      const engine = yield* tracedEngine({})
      yield* engine.submit("alone", "short")
      yield* engine.ended(1)
      assert.deepStrictEqual(engine.waits("alone"), [])
    })
  )

  it.effect("is at the tenant's gate while all its permits are taken", () =>
    Effect.gen(function* () {
      const engine = yield* tracedEngine({ limits: { tenantDocuments: 1, globalDocuments: 8 } })
      yield* engine.submit("first", "long")
      yield* TestClock.adjust("1 second")
      yield* engine.submit("second", "short")
      yield* engine.ended(2)
      const run = engine.first("first")
      assert.deepStrictEqual(engine.waits("first"), [])
      assert.deepStrictEqual(engine.waits("second"), [["Gate.tenant", 1_000, run.to]])
    })
  )

  it.effect("is at the global gate for all that could come next, not only for the one that asks", () =>
    Effect.gen(function* () {
      const engine = yield* tracedEngine({ limits: { tenantDocuments: 8, globalDocuments: 1 } })
      yield* engine.submit("busy", "long")
      yield* TestClock.adjust("1 second")
      yield* engine.submit("one", "long", quiet)
      yield* TestClock.adjust("1 second")
      yield* engine.submit("two", "short", quiet)
      yield* engine.ended(3)
      const busy = engine.first("busy")
      const one = engine.first("one")
      assert.deepStrictEqual(engine.waits("one"), [["Gate.global", 1_000, busy.to]])
      assert.deepStrictEqual(engine.waits("two"), [["Gate.global", 2_000, one.to]])
    })
  )

  it.effect("is at one gate after the other, without a gap", () =>
    Effect.gen(function* () {
      const engine = yield* tracedEngine({ limits: { tenantDocuments: 1, globalDocuments: 1 } })
      yield* engine.submit("first", "long")
      yield* TestClock.adjust("1 second")
      yield* engine.submit("between", "long", quiet)
      yield* TestClock.adjust("1 second")
      yield* engine.submit("second", "short")
      yield* engine.ended(3)
      const first = engine.first("first")
      const between = engine.first("between")
      assert.deepStrictEqual(engine.waits("second"), [
        ["Gate.tenant", 2_000, first.to],
        ["Gate.global", first.to, between.to]
      ])
    })
  )

  it.effect("counts until a limit is raised, and not the time of a pause", () =>
    Effect.gen(function* () {
      const engine = yield* tracedEngine({ limits: { tenantDocuments: 1, globalDocuments: 8 } })
      yield* engine.submit("first", "long")
      yield* TestClock.adjust("1 second")
      yield* engine.submit("second", "long")
      yield* TestClock.adjust("1 second")
      yield* engine.ingestion.setLimits(acme, { documents: 3 })
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(engine.waits("second"), [["Gate.tenant", 1_000, 2_000]])
      yield* engine.ingestion.pause(acme)
      yield* engine.submit("third", "short")
      yield* TestClock.adjust("1 hour")
      yield* engine.ingestion.resume(acme)
      yield* engine.ended(3)
      assert.deepStrictEqual(engine.waits("third"), [])
    })
  )

  it.effect("is at the global gate again for a document that gave way to another tenant's", () =>
    Effect.gen(function* () {
      const engine = yield* tracedEngine({ capacity: 2, limits: { tenantDocuments: 1, globalDocuments: 1 } })
      yield* engine.submit("preempted", "large")
      yield* TestClock.adjust("5 seconds")
      yield* engine.submit("guest", "short", quiet)
      yield* engine.ended(2)
      const [before, after] = engine.runs("preempted")
      assert.isDefined(before)
      const guest = engine.first("guest")
      assert.deepStrictEqual(engine.waits("guest"), [["Gate.global", 5_000, before.to]])
      assert.deepStrictEqual(engine.waits("preempted"), [["Gate.global", before.to, guest.to]])
      assert.isAtLeast(after?.from ?? 0, guest.to)
    })
  )
})

import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawn } from "node:child_process"
import { makeProcessorMeter, type ProcessorUse, waitedBetween } from "../../../../src/layers/pdf/pool/ProcessorTime.ts"
import { eventually } from "../engine.ts"

const start: ProcessorUse = { at: 1_000, usedMillis: 50, delayedMillis: 5, isRunnable: true }
const after = (millis: number, used: number, delayed: number | undefined, isRunnable: boolean): ProcessorUse => ({
  at: start.at + millis,
  usedMillis: start.usedMillis + used,
  delayedMillis: delayed === undefined ? undefined : 5 + delayed,
  isRunnable
})

describe("What a process waited for a processor", () => {
  it("is nothing while it runs, sleeps or is stopped, and all that it could have used otherwise", () => {
    // It spins on a quiet machine.
    assert.strictEqual(waitedBetween(start, after(1_000, 1_000, 0, true)), 0)
    // It is blocked or stopped.
    assert.strictEqual(waitedBetween(start, after(1_000, 10, 0, false)), 0)
    // It waited, and sleeps now.
    assert.strictEqual(waitedBetween(start, after(1_000, 10, 600, false)), 600)
    // It is in a wait, which the system has not added up yet.
    assert.strictEqual(waitedBetween(start, after(1_000, 10, 0, true)), 990)
  })

  it("is most of what was not used where the system counts nothing else", () => {
    assert.strictEqual(waitedBetween({ ...start, delayedMillis: undefined }, after(1_000, 0, undefined, false)), 900)
    assert.strictEqual(waitedBetween({ ...start, delayedMillis: undefined }, after(1_000, 0, undefined, true)), 1_000)
  })

  it("is never less than nothing, nor more than the time that went by", () => {
    assert.strictEqual(waitedBetween(start, after(1_000, 1_500, 0, true)), 0)
    assert.strictEqual(waitedBetween(start, after(1_000, 0, 5_000, false)), 1_000)
  })
})

const child = (program: string) =>
  Effect.acquireRelease(
    Effect.sync(() => spawn(process.execPath, ["-e", program], { stdio: "ignore" })),
    (process) => Effect.sync(() => process.kill("SIGKILL"))
  )

describe.skipIf(process.platform !== "linux")("A processor meter", () => {
  it.live("sees a process that spins, one that is stopped, and the end of one", () =>
    Effect.gen(function* () {
      const spinning = yield* child("for (;;) {}")
      const meter = makeProcessorMeter(spinning.pid ?? 0)
      const first = meter.read()
      assert.isDefined(first)
      yield* eventually(() => (meter.read()?.usedMillis ?? 0) > first.usedMillis + 100)
      spinning.kill("SIGSTOP")
      yield* eventually(() => meter.read()?.isRunnable === false)
      const stopped = meter.read()
      assert.isDefined(stopped)
      yield* eventually(() => performance.now() > stopped.at + 50)
      const later = meter.read()
      assert.isDefined(later)
      assert.isBelow(waitedBetween(stopped, later), 10)
      spinning.kill("SIGKILL")
      yield* eventually(() => meter.read() === undefined)
      meter.close()
      meter.close()
    }).pipe(Effect.scoped)
  )

  it("tells nothing of a process that is not there", () => {
    assert.isUndefined(makeProcessorMeter(2 ** 30).read())
  })
})

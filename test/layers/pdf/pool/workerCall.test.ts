import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { failure } from "../../../../src/domain/Failure.ts"
import { WorkerCall } from "../../../../src/layers/pdf/pool/WorkerCall.ts"
import type { Work } from "../../../../src/layers/pdf/pool/Protocol.ts"

const work: Work = { _tag: "Read", key: "a", password: undefined, pages: [1, 2], concurrency: 1 }
const done = { _tag: "Done", results: [] } as const

const callWith = () => {
  const heard: Array<string> = []
  const call = new WorkerCall(
    7,
    work,
    { _tag: "Bytes", bytes: new Uint8Array() },
    {
      pages: (results) => heard.push(`${results.length} pages`),
      end: (reason) => heard.push(`end: ${reason?._tag ?? "done"}`)
    },
    () => heard.push("over")
  )
  return { call, heard }
}

describe("a call of a page worker", () => {
  it("accepts no report before it was sent", () => {
    const { call } = callWith()
    assert.strictEqual(call.objection({ _tag: "Pages", call: 7, results: [] }), "it reported of another call")
    call.sentAs("held")
    assert.isUndefined(call.objection({ _tag: "Pages", call: 7, results: [] }))
  })

  it("ends once, frees its worker before its listener hears of it, and gives the last results before", () => {
    const { call, heard } = callWith()
    call.sentAs("bytes")
    call.ended(done, undefined)
    call.end(undefined)
    assert.deepStrictEqual(heard, ["0 pages", "over", "end: done"])
    assert.isFalse(call.isUnderWay)
  })

  it("tells its listener nothing after it was dropped, and is over all the same", () => {
    const { call, heard } = callWith()
    call.sentAs("held")
    call.drop()
    assert.isFalse(call.isUnderWay)
    call.ended({ _tag: "Unreadable", failure: failure("CORRUPT", "it is cut off") }, undefined)
    assert.deepStrictEqual(heard, ["over"])
  })

  it("is sent again only if the worker was to hold the document", () => {
    const { call } = callWith()
    call.sentAs("held")
    assert.isTrue(call.notHeld())
    assert.isFalse(call.isSent)
    call.sentAs("bytes")
    assert.isFalse(call.notHeld(), "its bytes were sent")
  })

  it.effect("lets its caller wait until it is over", () =>
    Effect.gen(function* () {
      const { call } = callWith()
      const waiting = yield* Effect.forkChild(call.untilOver, { startImmediately: true })
      assert.isUndefined(waiting.pollUnsafe())
      call.end(undefined)
      yield* Fiber.join(waiting)
    })
  )
})

import { assert, describe, it } from "@effect/vitest"
import { Duplex } from "node:stream"
import { setImmediate as nextRound } from "node:timers/promises"
import { portionBytes } from "../../../../src/layers/pdf/pool/BlobBytes.ts"
import { CallSender } from "../../../../src/layers/pdf/pool/CallSender.ts"
import { WorkerCall } from "../../../../src/layers/pdf/pool/WorkerCall.ts"

/** A channel that takes one write at a time, each when it is told to. */
const makeChannel = () => {
  const sizes: Array<number> = []
  const takers: Array<() => void> = []
  const channel = new Duplex({
    read: () => {},
    write: (chunk: Buffer, _encoding, taken) => {
      sizes.push(chunk.length)
      takers.push(taken)
    }
  })
  const take = async () => {
    takers.shift()?.()
    await nextRound()
  }
  return { channel, sizes, take }
}

const begun = async () => {
  const { channel, sizes, take } = makeChannel()
  const bytes = new Uint8Array(3 * portionBytes)
  const call = new WorkerCall(
    1,
    { _tag: "Open", key: "large", password: undefined, head: { pages: 0, concurrency: 1 } },
    { _tag: "Bytes", bytes },
    { pages: () => {}, end: () => {} },
    () => {}
  )
  new CallSender(channel).call(call, false)
  await nextRound()
  const portions = () => sizes.filter((size) => size === portionBytes).length
  while (portions() === 0) await take()
  return { call, portions, take, sizes }
}

describe("The bytes of a document", () => {
  it("are handed over in portions, each when the one before it was taken", async () => {
    const { portions, sizes, take } = await begun()
    for (let before = -1; before < sizes.length;) {
      before = sizes.length
      await take()
    }
    assert.strictEqual(portions(), 3)
  })

  it("are handed over no further when their call is dropped", async () => {
    const { call, portions, sizes, take } = await begun()
    call.drop()
    for (let before = -1; before < sizes.length;) {
      before = sizes.length
      await take()
    }
    assert.strictEqual(portions(), 1)
  })
})

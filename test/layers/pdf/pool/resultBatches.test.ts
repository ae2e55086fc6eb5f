import { assert, describe, it } from "vitest"
import type { PageResult } from "../../../../src/domain/document/Page.ts"
import { makeResultBatches } from "../../../../src/layers/pdf/worker/ResultBatches.ts"

const page = (number: number, characters = 10): PageResult => ({
  number,
  status: "ok",
  width: 595,
  height: 842,
  rotation: 0,
  text: "x".repeat(characters),
  lines: "[]",
  error: undefined,
  elapsedMillis: 1
})

const batching = (firstAtOnce: boolean) => {
  const sent: Array<ReadonlyArray<number>> = []
  const numbers = (results: ReadonlyArray<PageResult>) => results.map(({ number }) => number)
  const batches = makeResultBatches((results) => sent.push(numbers(results)), firstAtOnce)
  return { sent, add: batches.add, left: () => numbers(batches.take()) }
}

describe("the results of a call", () => {
  it("wait for each other, and for the end", () => {
    const { add, left, sent } = batching(false)
    add(page(1))
    add(page(2))
    assert.deepStrictEqual(sent, [])
    assert.deepStrictEqual(left(), [1, 2])
    assert.deepStrictEqual(left(), [])
  })

  it("begin with one alone, if that is wanted", () => {
    const { add, left, sent } = batching(true)
    add(page(1))
    add(page(2))
    assert.deepStrictEqual(sent, [[1]])
    assert.deepStrictEqual(left(), [2])
  })

  it("do not gather without bound", () => {
    const { add, left, sent } = batching(false)
    for (let number = 1; number <= 4; number++) add(page(number, 200 * 1024))
    assert.deepStrictEqual(sent, [[1, 2, 3]])
    assert.deepStrictEqual(left(), [4])
  })
})

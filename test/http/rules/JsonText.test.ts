import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { jsonRefusal } from "../../../src/http/rules/JsonText.ts"

const limits = { depth: 4, values: 100 }
const refusal = (text: string) => jsonRefusal(text, limits)
const million = 1_000_000

/** Text of which only the beginning may be looked at: it tells how far the look went. */
const watched = (text: string) => {
  let farthest = 0
  const view = {
    length: text.length,
    charCodeAt: (at: number) => {
      farthest = Math.max(farthest, at)
      return text.charCodeAt(at)
    }
  }
  // oxlint-disable-next-line typescript/consistent-type-assertions -- no more of a text is used before the limit is met
  const refused = jsonRefusal(view as unknown as string, limits)
  return { refused, farthest }
}

describe("JSON before it is parsed", () => {
  it("is refused at the first bracket or value too many, however long it goes on", () => {
    for (const [text, why] of [
      ["[".repeat(million), "is nested deeper than 4 levels"],
      ["[[],".repeat(million), "is nested deeper than 4 levels"],
      ["[" + "[],".repeat(million), "has more than 100 values"],
      [",".repeat(million), "has more than 100 values"],
      ["[[[" + "{},".repeat(million), "has more than 100 values"],
      ["}".repeat(10) + "[".repeat(million), "is nested deeper than 4 levels"]
    ] as const) {
      const { farthest, refused } = watched(text)
      assert.strictEqual(refused, why)
      assert.isBelow(farthest, 400, why)
    }
    assert.strictEqual(refusal('{"a":'.repeat(million)), "is nested deeper than 4 levels")
    const names = Array.from({ length: 1000 }, (_, n) => `"key${n}":${n}`)
    assert.strictEqual(refusal(`{${names.join()}}`), "has more than 100 values")
  })

  it("is not parsed for a number without end", () => {
    for (const number of ["1".repeat(million), `-0.${"0".repeat(million)}1`, `1e${"9".repeat(million)}`]) {
      assert.strictEqual(refusal(`{"rate":${number}}`), "has a number of more than 40 characters")
    }
    assert.isUndefined(refusal('{"rate":-1.7976931348623157e+308,"burst":9007199254740991}'))
    assert.isUndefined(refusal(`{"name":"${"1".repeat(100)}"}`))
  })

  it("has no name twice in one object, in whatever spelling", () => {
    for (const text of [
      '{"a":1,"a":2}',
      '{"a":1,"\\u0061":2}',
      '{"b":{"a":[{"x":1}],"a":2}}',
      '{"a":{"a":1},"b":2,"a":3}',
      '{"__proto__":1,"__proto__":2}'
    ]) {
      assert.match(String(refusal(text)), /^has a name twice in one object: /, text)
    }
    for (const text of ['{"a":"a","b":"a"}', '{"a":{"a":1},"b":{"a":1}}', '[{"a":1},{"a":1}]', '{"a":["a","a"]}']) {
      assert.isUndefined(refusal(text), text)
    }
  })

  it("has no half of a character", () => {
    assert.match(String(refusal('{"name":"\\ud83d"}')), /surrogate/)
    assert.match(String(refusal('{"\\udE00":1}')), /surrogate/)
    assert.isUndefined(refusal('{"name":"\\ud83d\\ude00"}'))
  })

  it("is left to the parser in everything else, which takes the same text to be JSON or not", () => {
    for (const text of [
      "",
      "{",
      '"',
      '"\\',
      '{"a":"\\"}',
      "{]",
      "nul",
      "-",
      '{"a" 1}',
      '{"a":1}x',
      "\u0000",
      '{"a":"\\x"}',
      '{,"a":1}'
    ]) {
      assert.isUndefined(refusal(text), text)
      assert.isTrue(Result.isFailure(Result.try(() => JSON.parse(text))), text)
    }
    for (const text of [
      "[]",
      "{}",
      "null",
      '"\\\\"',
      '{"a":"b\\\\\\"c,[[[[[["}',
      ' [ 1 , "]" , [ { "a" : true } ] ] '
    ]) {
      assert.isUndefined(refusal(text), text)
      assert.isTrue(Result.isSuccess(Result.try(() => JSON.parse(text))), text)
    }
  })
})

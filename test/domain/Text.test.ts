import { assert, describe, it } from "@effect/vitest"
import { cutText } from "../../src/domain/Text.ts"

describe("text that is cut", () => {
  it("is well formed wherever it is cut, and loses no more than half a character", () => {
    const text = "a😀b😀😀c"
    for (let length = 0; length <= text.length + 1; length++) {
      const cut = cutText(text, length)
      assert.isTrue(cut.isWellFormed())
      assert.isTrue(text.startsWith(cut))
      assert.isAtLeast(cut.length, Math.min(length, text.length) - 1)
      assert.isAtMost(cut.length, length)
    }
  })

  it("has halves of characters replaced that were there before", () => {
    assert.strictEqual(cutText("a\ud83db\ude00", 9), "a\ufffdb\ufffd")
  })
})

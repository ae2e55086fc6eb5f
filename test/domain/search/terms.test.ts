import { assert, describe, it } from "@effect/vitest"
import { fuse } from "../../../src/domain/search/Fusion.ts"
import { snippetOf } from "../../../src/domain/search/Snippet.ts"
import { anyOf, indexedText, matchesIn, queryTerms } from "../../../src/domain/search/Terms.ts"

describe("words of a query", () => {
  it("are the different ones, without those that are everywhere unless there are no others", () => {
    assert.deepStrictEqual(queryTerms("How did the Sales develop? SALES!"), ["sales", "develop"])
    assert.deepStrictEqual(queryTerms("to be or"), ["to", "be", "or"])
    assert.deepStrictEqual(queryTerms('"a" AND body:(x*) NOT'), ["body", "x", "not"])
    assert.deepStrictEqual(queryTerms(" \u0000 … "), [])
  })

  it("are bounded in number and length", () => {
    const many = queryTerms(Array.from({ length: 500 }, (_, i) => `w${i}`).join(" "))
    assert.strictEqual(many.length, 32)
    assert.strictEqual(queryTerms("x".repeat(10_000))[0]?.length, 64)
  })

  it("become pairs of neighbours where a script has no spaces", () => {
    assert.strictEqual(indexedText("開発人員 Größe").trim(), "開発 発人 人員  Grösse")
    assert.strictEqual(anyOf(queryTerms("開発人員 開 문서 größe")), '"開発 発人 人員" OR "開"* OR "문서"* OR "grösse"')
  })

  it("are found in a text with other endings, case and marks", () => {
    const text = "Über Verkäufe: selling, sales, Umsätze"
    const found = (query: string) => matchesIn(text, queryTerms(query)).map(([start, end]) => text.slice(start, end))
    assert.deepStrictEqual(found("uber sell SALE"), ["Über", "selling", "sales"])
    assert.deepStrictEqual(matchesIn("所做的工作", ["工作"]), [[3, 5]])
  })
})

describe("a snippet", () => {
  it("escapes everything but its marks", () => {
    assert.strictEqual(
      snippetOf('<script>alert("sales")</script>', ["sales", "script"]),
      "&lt;<mark>script</mark>&gt;alert(&quot;<mark>sales</mark>&quot;)&lt;/<mark>script</mark>&gt;"
    )
  })

  it("is the part where most words are near each other, cut between words", () => {
    const far = `${"other words. ".repeat(100)}Here sales and costs meet. ${"more words. ".repeat(100)}`
    const snippet = snippetOf(far, ["sales", "costs"])
    assert.match(snippet, /^….*<mark>sales<\/mark> and <mark>costs<\/mark> meet\..*…$/)
    assert.isAtMost(snippet.length, 330)
    assert.strictEqual(snippetOf("", ["a"]), "")
    assert.isAtMost(snippetOf("x".repeat(5_000), ["y"]).length, 300)
  })
})

describe("rankings put together", () => {
  it("prefer what is high in both", () => {
    const fused = fuse([
      ["a", "b", "c"],
      ["c", "d", "b"]
    ])
    assert.deepStrictEqual(
      fused.map(({ id }) => id),
      ["c", "b", "a", "d"]
    )
    assert.isAtMost(fused[0]?.score ?? 2, 1)
    assert.strictEqual(fuse([["a"], ["a"]])[0]?.score, 1)
    assert.deepStrictEqual(fuse([]), [])
  })
})

import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { meanOf, scoresOf } from "../../bench/score/metrics/Scores.ts"
import { indelSimilarity, textDistance } from "../../bench/score/metrics/Strings.ts"
import { treeDistance } from "../../bench/score/metrics/TreeDistance.ts"
import { markdownOf } from "../../bench/score/ReadMarkdown.ts"
import { generatedTruth } from "../../bench/score/truth/Documents.ts"

interface Named {
  readonly name: string
  readonly children: ReadonlyArray<Named>
}
const named = (name: string, ...children: ReadonlyArray<Named>): Named => ({ name, children })
const distance = (a: Named, b: Named) => treeDistance(a, b, (x, y) => (x.name === y.name ? 0 : 1))

describe("the measures", () => {
  it("of texts have the values of their definitions", () => {
    assert.strictEqual(indelSimilarity("", ""), 1)
    assert.strictEqual(indelSimilarity("abc", ""), 0)
    // One deletion and one insertion in 3 + 3 characters.
    assert.closeTo(indelSimilarity("abc", "adc"), 1 - 2 / 6, 1e-12)
    assert.closeTo(textDistance("kitten", "sitting"), 3 / 7, 1e-12)
    assert.closeTo(textDistance("𠮷a", "a"), 1 / 2, 1e-12)
  })

  it("of trees count the fewest changes", () => {
    // The example of Zhang and Shasha.
    const one = named("f", named("d", named("a"), named("c", named("b"))), named("e"))
    const other = named("f", named("c", named("d", named("a"), named("b"))), named("e"))
    assert.strictEqual(distance(one, one), 0)
    assert.strictEqual(distance(one, other), 2)
    assert.strictEqual(distance(named("a"), named("b", named("a"))), 1)
  })

  it("of tables know pipes, HTML and spans", () => {
    const pipes = "| a | b |\n| --- | --- |\n| c | d\\|e |"
    const html = "<table><tr><td>a</td><td>b</td></tr>\n<tr><td>c</td><td>d|e</td></tr></table>"
    assert.strictEqual(scoresOf(pipes, html).teds, 1)
    assert.strictEqual(scoresOf(`| | |\n| --- | --- |\n| a | b |\n| c | d\\|e |`, html).teds, 1)
    assert.strictEqual(scoresOf(html, "no table").teds, 0)
    assert.isUndefined(scoresOf("no table", html).teds)
    // Of 1 table, 2 rows and 4 cells, one cell has half of its text.
    assert.closeTo(scoresOf(html, html.replace("d|e", "d|")).teds ?? 0, 1 - 1 / 3 / 7, 1e-12)
    // A cell that spans is another cell, and one is too few.
    const spanning = html.replace("<td>a</td><td>b</td>", '<td colspan="2">a</td>')
    assert.closeTo(scoresOf(html, spanning).teds ?? 0, 1 - 2 / 7, 1e-12)
  })

  it("of headings count those that are missing and those that are none", () => {
    const truth = "# A\n\ntext\n\n## B\n\nmore"
    assert.strictEqual(scoresOf(truth, truth).mhs, 1)
    assert.strictEqual(scoresOf(truth, "A text B more").mhs, 0)
    assert.isUndefined(scoresOf("text", truth).mhs)
    // Document, two headings, two texts; one heading is missing, and its text and title are in the text before.
    assert.isBelow(scoresOf(truth, "# A\n\ntext B more").mhs ?? 1, 0.6)
  })
})

/** What is read now, less what a change may cost before somebody has to look. */
const least = { overall: 0.985, nid: 0.99, teds: 0.98, mhs: 0.98 }

describe("reading", () => {
  it.live("finds the structure from which documents were made", () =>
    Effect.gen(function* () {
      const scored = yield* Effect.forEach(generatedTruth(), ({ markdown, name, pdf }) =>
        Effect.map(markdownOf(pdf), (read) => ({ name, scores: scoresOf(markdown, read) }))
      )
      for (const { name, scores } of scored) assert.isAtLeast(scores.overall ?? 0, 0.95, name)
      for (const measure of ["overall", "nid", "teds", "mhs"] as const) {
        assert.isAtLeast(meanOf(scored.map(({ scores }) => scores[measure])) ?? 0, least[measure], measure)
      }
    })
  )
})

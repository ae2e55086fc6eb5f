import { assert, describe, it } from "@effect/vitest"
import type { DocumentBlock } from "../../../src/domain/rendering/DocumentBlock.ts"
import { htmlEnd, htmlHead, HtmlWriter } from "../../../src/domain/rendering/html/HtmlWriter.ts"
import { PlainWriter } from "../../../src/domain/rendering/PlainWriter.ts"
import { noCompounds, renderDefaults } from "../../../src/domain/rendering/RenderOptions.ts"
import { heading, item, line, paragraph, simpleTable, span, table, textBlock } from "../../support/layouts.ts"

const html = (blocks: ReadonlyArray<DocumentBlock>) => {
  const writer = new HtmlWriter({ ...renderDefaults, emphasis: true }, noCompounds)
  return blocks.map((block) => writer.write(block)).join("") + writer.end()
}

/** Every tag that is opened is closed, in order. */
const isBalanced = (text: string): boolean => {
  const open: Array<string> = []
  for (const [, slash, name = ""] of text.matchAll(/<(\/?)([a-z0-9]+)[^>]*>/g)) {
    if (name === "br" || name === "meta") continue
    if (slash !== "/") open.push(name)
    else if (open.pop() !== name) return false
  }
  return open.length === 0
}

describe("HTML of blocks", () => {
  it("nests lists, and closes them before the next block", () => {
    const shown = html([item("•", "a"), item("•", "b", 1), item("•", "c", 3), item("•", "d"), paragraph("end")])
    assert.strictEqual(
      shown.replaceAll("\n", ""),
      '<ul><li dir="auto">a<ul><li dir="auto">b<ul><li dir="auto">c</li></ul></li></ul></li><li dir="auto">d</li></ul>' +
        '<p dir="auto">end</p>'
    )
    assert.isTrue(isBalanced(shown))
    assert.isTrue(isBalanced(html([item("1.", "a"), item("2.", "b", 1)])))
  })

  it("shows printed numbers as text, so a browser cannot count otherwise", () => {
    assert.include(html([item("7.", "seven")]), '<li dir="auto">7. seven')
  })

  it("escapes everything, and links only where a click runs nothing", () => {
    const attack = `"><script>alert('x')</script>&amp;\u0000`
    const safe = "&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;amp;"
    for (const block of [
      heading(2, attack),
      paragraph(attack),
      item(attack, "x"),
      item("•", attack),
      table(1, 2, 0, [[0, 0, attack, 1, 2]]),
      textBlock("code", [attack]),
      textBlock("footnote", [attack]),
      { _tag: "text", text: attack } as const
    ]) {
      const shown = html([block])
      assert.include(shown, safe)
      assert.notInclude(shown, "<script")
      assert.isTrue(isBalanced(shown), shown)
    }
    assert.include(htmlHead(attack), `<title>${safe}</title>`)
    assert.isTrue(isBalanced(htmlHead(attack) + htmlEnd))
    const link = (target: string) => html([paragraph(line([span("x", { link: target })]))])
    assert.include(
      link("https://a.example/?a=1&b='2'"),
      '<a href="https://a.example/?a=1&amp;b=%272%27" rel="nofollow noopener">x</a>'
    )
    for (const target of [
      "javascript:alert(1)",
      " javascript:alert(1)",
      "data:text/html,<script>",
      "vbscript:x",
      "#page=2"
    ]) {
      assert.notInclude(link(target), "<a")
    }
  })

  it("shows emphasis, raised signs, code and header cells", () => {
    const styled = paragraph(
      line([span("b", { bold: true }), span("i", { italic: true }), span("2", { raised: true })])
    )
    assert.include(html([styled]), "<strong>b</strong><em>i</em><sup>2</sup>")
    assert.include(html([simpleTable(1, [["h"], ["c"]])]), "<thead>\n<tr><th>h</th></tr>\n</thead>")
    assert.include(html([textBlock("code", ["a < b"])]), "<pre><code>a &lt; b</code></pre>")
  })
})

describe("text of blocks", () => {
  it("has a line for each paragraph and row, and nothing escaped", () => {
    const writer = new PlainWriter(noCompounds)
    const blocks = [
      heading(1, "# T"),
      paragraph("a con-", "nection"),
      item("•", "x"),
      item("•", "y", 1),
      simpleTable(1, [
        ["a", "b"],
        ["", "c"]
      ])
    ]
    const shown = blocks.map((block) => writer.write(block)).join("") + writer.end()
    assert.strictEqual(shown, "# T\n\na connection\n\n• x\n  • y\n\na\tb\n\tc\n")
    assert.strictEqual(new PlainWriter(noCompounds).end(), "")
  })
})

import { assert, describe, it } from "@effect/vitest"
import type { Block } from "../../../src/domain/document/PageLayout.ts"
import type { DocumentBlock } from "../../../src/domain/rendering/DocumentBlock.ts"
import { MarkdownWriter } from "../../../src/domain/rendering/markdown/MarkdownWriter.ts"
import { noCompounds, renderDefaults, type RenderOptions } from "../../../src/domain/rendering/RenderOptions.ts"
import { heading, item, line, paragraph, simpleTable, span, table, textBlock } from "../../support/layouts.ts"

const markdown = (
  blocks: ReadonlyArray<DocumentBlock>,
  options: Partial<RenderOptions> = {},
  compounds = noCompounds
) => {
  const writer = new MarkdownWriter({ ...renderDefaults, ...options }, compounds)
  return blocks.map((block) => writer.write(block)).join("") + writer.end()
}

const one = (text: string, make: (text: string) => Block = paragraph) => markdown([make(text)]).trimEnd()

describe("Markdown of blocks", () => {
  it("writes headings, paragraphs and lists with one empty line between blocks", () => {
    assert.strictEqual(
      markdown([
        heading(1, "Title"),
        paragraph("One line", "and its end."),
        item("•", "first"),
        item("–", "below", 1),
        item("2.", "numbered", 2),
        item("(a)", "back"),
        heading(2, "Next")
      ]),
      "# Title\n\nOne line and its end.\n\n- first\n  - below\n    2. numbered\n- (a) back\n\n## Next\n"
    )
  })

  it("writes nothing for a document without text", () => {
    assert.strictEqual(markdown([]), "")
    assert.strictEqual(markdown([{ _tag: "figure", box: { x: 0, y: 0, width: 1, height: 1 } }, paragraph("  ")]), "")
  })

  it("goes on with a list after a picture in it", () => {
    const figure: Block = { _tag: "figure", box: { x: 0, y: 0, width: 1, height: 1 } }
    const blocks = [item("1.", "first"), item("a)", "below", 1), figure, item("b)", "more", 1)]
    assert.strictEqual(markdown(blocks), markdown(blocks.filter(({ _tag }) => _tag !== "figure")))
  })

  it("indents an item by the width of the mark above it", () => {
    assert.strictEqual(
      markdown([item("10.", "ten"), item("•", "below", 1), item("•", "too deep", 5), item("11.", "eleven")]),
      "10. ten\n    - below\n      - too deep\n11. eleven\n"
    )
  })

  it("joins words divided at line ends, and keeps hyphens that belong to words", () => {
    const compounds = new Set(["well-known"])
    const joined = (...texts: ReadonlyArray<string>) => markdown([paragraph(...texts)], {}, compounds).trimEnd()
    assert.strictEqual(joined("the connec-", "tion holds"), "the connection holds")
    assert.strictEqual(joined("the connec\u00ad", "tion holds"), "the connection holds")
    assert.strictEqual(joined("a well-", "known fact"), "a well-known fact")
    assert.strictEqual(joined("the Anglo-", "Saxon"), "the Anglo-Saxon")
    assert.strictEqual(joined("pre-", "and post-war"), "pre- and post-war")
    assert.strictEqual(joined("2019-", "2020"), "2019-2020")
    assert.strictEqual(joined("a dash -", "then more"), "a dash - then more")
    assert.strictEqual(joined("https://example.org/a-", "b/c"), "https://example.org/a-b/c")
  })

  it("joins lines of Chinese and Japanese without a space, and of Korean with one", () => {
    assert.strictEqual(markdown([paragraph("开发人员", "所做的工作")]), "开发人员所做的工作\n")
    assert.strictEqual(markdown([paragraph("テキスト、", "そして")]), "テキスト、そして\n")
    assert.strictEqual(markdown([paragraph("안녕", "하세요")]), "안녕 하세요\n")
    assert.strictEqual(markdown([paragraph("版本", "2.0")]), "版本 2.0\n")
  })

  it("escapes what would begin a block", () => {
    for (const [text, shown] of [
      ["# not a heading", "\\# not a heading"],
      ["#hashtag", "#hashtag"],
      ["> not a quotation", "\\> not a quotation"],
      ["- not an item", "\\- not an item"],
      ["-5 degrees", "-5 degrees"],
      ["+ plus", "\\+ plus"],
      ["1. not an item", "1\\. not an item"],
      ["1984 was", "1984 was"],
      ["12) twelve", "12\\) twelve"],
      ["---", "\\---"],
      ["* * *", "\\* * *"],
      ["===", "\\==="],
      ["```js", "\\`\\`\\`js"],
      ["~~~", "\\~~~"],
      ["[1]: not a definition", "\\[1]: not a definition"],
      ["[34] Smith 1999", "[34] Smith 1999"]
    ] as const) {
      assert.strictEqual(one(text), shown)
    }
  })

  it("escapes what would be emphasis, code, a link or HTML within a text, and leaves single signs alone", () => {
    for (const [text, shown] of [
      ["5 * 3 * 2", "5 * 3 * 2"],
      ["a *word* b", "a \\*word\\* b"],
      ["a note* only", "a note* only"],
      ["snake_case_name", "snake_case_name"],
      ["__init__ and _x_", "\\_\\_init\\_\\_ and \\_x\\_"],
      ["~~gone~~", "\\~\\~gone\\~\\~"],
      ["about ~5", "about ~5"],
      ["the `code` here", "the \\`code\\` here"],
      ["a ` alone", "a ` alone"],
      ["[x](http://a.b)", "[x\\](http://a.b)"],
      ["<script>alert(1)</script>", "\\<script>alert(1)\\</script>"],
      ["a < b and c > d", "a < b and c > d"],
      ["AT&T &amp; R&D", "AT&T \\&amp; R&D"],
      ["C:\\new and \\* star", "C:\\new and \\\\* star"],
      ["a | b", "a | b"]
    ] as const) {
      assert.strictEqual(one(text), shown)
    }
  })

  it("does not escape the signs that begin a block where no block can begin", () => {
    assert.strictEqual(markdown([heading(1, "1. Introduction")]), "# 1. Introduction\n")
    assert.strictEqual(markdown([heading(3, "C #")]), "### C \\#\n")
    assert.strictEqual(markdown([heading(3, "C#")]), "### C#\n")
    assert.strictEqual(markdown([item("•", "[ ] open")]), "- \\[ ] open\n")
    assert.strictEqual(markdown([item("1.", "2. nested?")]), "1. 2\\. nested?\n")
  })

  it("writes emphasis only when wanted, with blanks outside, and escapes what could be paired with it", () => {
    const block = paragraph(line([span("all "), span("bold ", { bold: true }), span("and * text", { italic: true })]))
    assert.strictEqual(markdown([block]), "all bold and * text\n")
    assert.strictEqual(markdown([block], { emphasis: true }), "all **bold** *and * text*\n")
    const note = paragraph(line([span("a* "), span("b", { bold: true })]))
    assert.strictEqual(markdown([note], { emphasis: true }), "a\\* **b**\n")
    const within = paragraph(line([span("f"), span("(x)", { italic: true }), span("y")]))
    assert.strictEqual(markdown([within], { emphasis: true }), "f(x)y\n")
  })

  it("writes links with safe addresses only", () => {
    const link = (text: string, target: string) =>
      markdown([paragraph(line([span("see "), span(text, { link: target })]))]).trimEnd()
    assert.strictEqual(link("this", "https://example.org/a_(b) c"), "see [this](https://example.org/a_%28b%29%20c)")
    assert.strictEqual(link("[this]", "https://example.org/"), "see [\\[this\\]](https://example.org/)")
    assert.strictEqual(link("https://example.org", "https://example.org/"), "see https://example.org")
    for (const target of [
      "javascript:alert(1)",
      "JavaScript:alert(1)",
      "data:text/html,x",
      "file:///etc/passwd",
      "#page=3",
      "x"
    ]) {
      assert.strictEqual(link("this", target), "see this")
    }
    const whole = "https://cran.r-project.org/a"
    const broken = paragraph(
      line([span("https://cran.", { link: whole })]),
      line([span("R-project.org/a", { link: whole })])
    )
    assert.strictEqual(markdown([broken]), `[https://cran.R-project.org/a](${whole})\n`)
    const bang = paragraph(line([span("wow!"), span("this", { link: "https://example.org/" })]))
    assert.strictEqual(markdown([bang]), "wow\\![this](https://example.org/)\n")
  })

  it("writes tables of pipes, with an empty header where there is none", () => {
    const rows = [
      ["Name", "a|b"],
      ["", "*x* y"]
    ]
    assert.strictEqual(markdown([simpleTable(1, rows)]), "| Name | a\\|b |\n| --- | --- |\n| | \\*x\\* y |\n")
    assert.strictEqual(markdown([simpleTable(0, rows)]), "| | |\n| --- | --- |\n| Name | a\\|b |\n| | \\*x\\* y |\n")
  })

  it("writes tables with spans as HTML, every place once and without an empty line", () => {
    const spanning = table(3, 3, 1, [
      [0, 0, "A & <b>", 1, 2],
      [0, 2, "C"],
      [1, 0, "two\nlines", 2, 1],
      [1, 1, "x"],
      [2, 2, "y"],
      // Overlaps the cell above it: it is left out.
      [2, 0, "z"]
    ])
    assert.strictEqual(
      markdown([paragraph("before"), spanning, paragraph("after")]),
      [
        "before\n",
        "<table>",
        "<thead>",
        '<tr><th colspan="2">A &amp; &lt;b&gt;</th><th>C</th></tr>',
        "</thead>",
        "<tbody>",
        '<tr><td rowspan="2">two lines</td><td>x</td><td></td></tr>',
        "<tr><td></td><td>y</td></tr>",
        "</tbody>",
        "</table>\n",
        "after\n"
      ].join("\n")
    )
  })

  it("keeps links and emphasis in a table of HTML", () => {
    const wide = table(2, 2, 1, [
      [0, 0, "wide", 1, 2],
      [1, 0, "x"]
    ])
    const linked = line([span("there", { link: "https://example.org/", bold: true })])
    if (wide._tag !== "table") throw new Error("no table")
    const cells = wide.cells.map((cell) => (cell.row === 1 ? { ...cell, lines: [linked] } : cell))
    const shown = markdown([{ ...wide, cells }], { emphasis: true })
    assert.include(shown, '<td><a href="https://example.org/" rel="nofollow noopener"><strong>there</strong></a></td>')
  })

  it("bounds a table that claims to be larger than any", () => {
    const huge = table(1_000_000_000, 1_000_000_000, 0, [[0, 0, "x"]])
    assert.isBelow(markdown([huge]).length, 1_000)
  })

  it("fences code with its indents and empty lines, whatever is in it", () => {
    const code: Block = {
      _tag: "code",
      box: { x: 72, y: 100, width: 200, height: 60 },
      lines: [
        line("if (x) {", { mono: true }, 72, 100),
        line("# ```y```", { mono: true }, 82, 112),
        line("}", { mono: true }, 72, 148)
      ]
    }
    assert.strictEqual(markdown([code]), "````\nif (x) {\n  # ```y```\n\n}\n````\n")
  })

  it("writes captions, footnotes and formulas as paragraphs", () => {
    const blocks = [
      textBlock("caption", ["Figure 1."]),
      textBlock("footnote", ["4 Id."]),
      textBlock("formula", ["a = b"])
    ]
    assert.strictEqual(markdown(blocks), "Figure 1.\n\n4 Id.\n\na = b\n")
  })

  it("keeps the lines of a text without layout, and escapes each", () => {
    assert.strictEqual(markdown([{ _tag: "text", text: "# a\n---\n\n\n- b\n" }]), "\\# a\n\\---\n\n\\- b\n")
  })
})

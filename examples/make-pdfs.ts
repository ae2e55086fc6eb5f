// Writes the example PDFs next to this file. The same run always gives the same bytes: node examples/make-pdfs.ts
import { writeFileSync } from "node:fs"
import type { Bookmark, Page, PlacedText } from "./pdf-writer.ts"
import { a4, writePdf } from "./pdf-writer.ts"

const margin = 72
const leading = 15

/** Breaks text into lines of at most `width` characters. */
const wrap = (text: string, width: number): ReadonlyArray<string> => {
  const lines: Array<string> = []
  let line = ""
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + word.length >= width) {
      lines.push(line)
      line = word
    } else {
      line += (line === "" ? "" : " ") + word
    }
  }
  return [...lines, line]
}

const set = (lines: ReadonlyArray<string>, x: number, top: number, size = 11): ReadonlyArray<PlacedText> =>
  lines.flatMap((text, index) => (text === "" ? [] : [{ text, x, y: top - index * leading, size }]))

const paragraphs = (texts: ReadonlyArray<string>, width: number): ReadonlyArray<string> =>
  texts.flatMap((text, index) => [...(index === 0 ? [] : [""]), ...wrap(text, width)])

const heading = (text: string, size = 20): PlacedText => ({ text, x: margin, y: a4.height - 90, size, font: "bold" })
const footer = (text: string): PlacedText => ({ text, x: 280, y: 40, size: 9 })

const article = (title: string, texts: ReadonlyArray<string>, foot?: string): Page => ({
  text: [
    heading(title),
    ...set(paragraphs(texts, 84), margin, a4.height - 130),
    ...(foot === undefined ? [] : [footer(foot)])
  ]
})

const welcome = writePdf({
  info: { Title: "Welcome to Sluice", Author: "Sluice" },
  pages: [
    article("Welcome to Sluice", [
      "Sluice reads PDFs for many tenants at once. If you can see this sentence in the result of your first upload, " +
        "everything works: the file was stored, a worker opened it, and its one page was read and saved.",
      "A page is the unit of work. Each page has a status of its own: ok when it has text, scanned when it has only " +
        "images, empty when it has nothing, and failed or timeout when it could not be read. A failure never looks " +
        "like a blank page.",
      "Next, try report.pdf, which has twelve pages and an outline, or two-columns.pdf, which shows that columns are " +
        "read one after the other. In mixed.pdf one page is a scan and one is blank."
    ])
  ]
})

const columnTexts: ReadonlyArray<string> = [
  "When many tenants upload at once, the order of the queue decides who waits. If whole documents are taken in the " +
    "order in which they came, a single page waits behind a thousand.",
  "Sluice shares the time of its workers instead. Every tenant has a weight, and the next pages are taken from the " +
    "tenant that has received least for its weight.",
  "A tenant that has been idle earns no credit for it, so nobody can save up time and then take the machine from the " +
    "others.",
  "A long document gives way between its pages. What it has read is kept, and it goes on from there, so giving way " +
    "costs it nothing but the wait.",
  "The result is plain: a short document of a quiet tenant is read within moments, whatever others have queued, and a " +
    "busy tenant still gets every share that the quiet ones leave."
]

const columnLines = paragraphs(columnTexts, 42)
const half = Math.ceil(columnLines.length / 2)
const [left, right] = [set(columnLines.slice(0, half), margin, 690, 10), set(columnLines.slice(half), 315, 690, 10)]

const twoColumns = writePdf({
  info: { Title: "Sharing time, not places in a queue", Author: "Sluice" },
  pages: [
    {
      text: [
        { text: "Sharing time, not places in a queue", x: 115, y: 740, size: 20, font: "bold" },
        // Row by row across both columns, as many programs write them.
        ...left.flatMap((line, index) => [line, ...right.slice(index, index + 1)]),
        ...right.slice(left.length),
        footer("page 1 of 1")
      ]
    }
  ]
})

const chapters: ReadonlyArray<readonly [title: string, ...sections: ReadonlyArray<string>]> = [
  ["Uploading", "One file", "Many files", "Files that lie elsewhere"],
  ["Waiting", "Gates", "Shares", "Knowing how long"],
  ["Reading", "Pages", "Text and lines", "Damaged files"],
  ["Results", "Progress", "Events", "Keeping and forgetting"]
]

const sectionText = (chapter: string, section: string): ReadonlyArray<string> => [
  `This section belongs to the chapter "${chapter}" and is about the subject "${section}". It is one page long, like ` +
    "every section of this report, so that the progress of a document can be watched page by page.",
  "Every page is read by itself and saved as soon as it is read. If the process stops now, the pages that are saved " +
    "are not read again; the document goes on with the first page that has no result.",
  "The numbers below are invented. They show that the rows of a table stay together when a page is read."
]

const table = (seed: number): ReadonlyArray<PlacedText> =>
  ["Tenant", "Pages", "Seconds"]
    .map((text, column) => cell(text, column, 0))
    .concat(
      ["alder", "birch", "cedar", "elm"].flatMap((tenant, row) =>
        [tenant, String(seed * 17 + row * 40), (seed * 0.9 + row * 1.7).toFixed(1)].map((text, column) =>
          cell(text, column, row + 1)
        )
      )
    )

const cell = (text: string, column: number, row: number): PlacedText => ({
  text,
  x: margin + column * 140,
  y: 480 - row * 18,
  font: row === 0 ? "bold" : "regular"
})

const sections = chapters.flatMap(([chapter, ...titles]) => titles.map((title) => ({ chapter, title })))

const report = writePdf({
  info: { Title: "A report in twelve pages", Author: "Sluice", Subject: "An example", Keywords: "pages, progress" },
  pages: sections.map(({ chapter, title }, index) => {
    const page = article(title, sectionText(chapter, title), `page ${index + 1} of ${sections.length}`)
    return { text: [...(page.text ?? []), ...table(index + 1)] }
  }),
  outline: chapters.map(([chapter, ...titles]): Bookmark => {
    const page = (title: string): number => sections.findIndex((section) => section.title === title) + 1
    return {
      title: chapter,
      page: page(titles[0] ?? ""),
      items: titles.map((title) => ({ title, page: page(title) }))
    }
  })
})

const mixed = writePdf({
  info: { Title: "Text, a scan and a blank page", Author: "Sluice" },
  pages: [
    article("Three kinds of pages", ["This page has text. The next one is an image, and the last one is blank."]),
    { scan: true },
    {}
  ]
})

for (const [name, bytes] of Object.entries({ welcome, "two-columns": twoColumns, report, mixed })) {
  writeFileSync(new URL(`${name}.pdf`, import.meta.url), bytes)
}

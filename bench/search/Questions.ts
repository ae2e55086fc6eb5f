/** Questions that a document answers: its headings and the captions of its tables and figures, as its true Markdown has them. */
const heading = /^#{1,6}\s+(.+)$/gm
const caption = /^\**((?:table|figure|fig\.)\s*\d+[.:]?\s+.+)$/gim

/** Shorter ones, such as "Introduction", are questions of many documents. */
const leastWords = 3

const plain = (text: string): string =>
  text
    .replace(/[*_`#|]/g, " ")
    .replace(/^(?:table|figure|fig\.)?\s*[\d.:]+\s*/i, "")
    .replace(/\s+/g, " ")
    .trim()

export const questionsOf = (markdown: string): ReadonlyArray<string> => [
  ...new Set(
    [...markdown.matchAll(heading), ...markdown.matchAll(caption)]
      .map(([, text = ""]) => plain(text))
      .filter((text) => text.split(" ").length >= leastWords && text.length <= 200)
  )
]

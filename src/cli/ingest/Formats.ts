import { Effect, Schema, Stream } from "effect"
import { PageView } from "../../domain/document/Page.ts"
import { markedText } from "../../domain/document/PageMarks.ts"

export const formats = ["text", "ndjson", "md"] as const
export type Format = (typeof formats)[number]

export const extensionOf: Record<Format, string> = { text: ".txt", ndjson: ".ndjson", md: ".md" }

/** Separates two documents in one output. */
export const separatorOf: Record<Format, string> = { text: "\f", ndjson: "", md: "\n" }

const encodePage = Schema.encodeEffect(Schema.toCodecJson(PageView))

/** Escapes text of a document that Markdown would read as a heading. */
const asMarkdown = (text: string) => text.replace(/^(\s*)(#{1,6}\s)/gm, "$1\\$2")

const markdownPage = ({ error, number, status, text, warnings = [] }: PageView) => {
  const body = error === undefined ? asMarkdown(text).trim() : `*Not read: ${error.code}: ${error.message}*`
  const warned = warnings.map(({ code, message }) => `*${code}: ${message}*\n\n`).join("")
  return `## Page ${number}\n\n${warned}${body === "" ? `*${status}*` : body}\n`
}

/** The pages of one document as a file. */
export const render = <E, R>(format: Format, title: string, pages: Stream.Stream<PageView, E, R>) => {
  switch (format) {
    case "text":
      return pages.pipe(
        Stream.map(markedText),
        Stream.intersperse("\f"),
        Stream.concat(Stream.succeed("\n")),
        Stream.encodeText
      )
    case "ndjson":
      return pages.pipe(
        Stream.mapEffect((page) => Effect.orDie(encodePage(page))),
        Stream.map((page) => `${JSON.stringify(page)}\n`),
        Stream.encodeText
      )
    case "md":
      return pages.pipe(
        Stream.map(markdownPage),
        Stream.intersperse("\n"),
        Stream.prepend([`# ${title}\n\n`]),
        Stream.encodeText
      )
  }
}

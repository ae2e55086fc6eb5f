import { Effect, Schema, Stream } from "effect"
import { PageView } from "../../domain/document/Page.ts"
import { markedText } from "../../domain/document/PageMarks.ts"
import type { DocumentId } from "../../domain/Ids.ts"
import type { NotIngested, Target } from "./Target.ts"

export const formats = ["text", "ndjson", "md", "html", "json"] as const
export type Format = (typeof formats)[number]

export const extensionOf: Record<Format, string> = {
  text: ".txt",
  ndjson: ".ndjson",
  md: ".md",
  html: ".html",
  json: ".json"
}

/** Separates two documents in one output. */
export const separatorOf: Record<Format, string> = { text: "\f", ndjson: "", md: "\n", html: "", json: "" }

const encodePage = Schema.encodeEffect(Schema.toCodecJson(PageView))

/** Pages as text, between form feeds. */
export const asText = <E, R>(pages: Stream.Stream<PageView, E, R>) =>
  pages.pipe(Stream.map(markedText), Stream.intersperse("\f"), Stream.concat(Stream.succeed("\n")), Stream.encodeText)

/** A page per line. */
export const asLines = <E, R>(pages: Stream.Stream<PageView, E, R>) =>
  pages.pipe(
    Stream.mapEffect((page) => Effect.orDie(encodePage(page))),
    Stream.map((page) => `${JSON.stringify(page)}\n`),
    Stream.encodeText
  )

/** A document as a file. */
export const contentOf = (
  target: Target["Service"],
  id: DocumentId,
  format: Format
): Stream.Stream<Uint8Array, NotIngested> => {
  switch (format) {
    case "text":
      return asText(target.pages(id))
    case "ndjson":
      return asLines(target.pages(id))
    case "md":
      return target.rendered(id, "markdown")
    case "html":
    case "json":
      return target.rendered(id, format)
  }
}

import { Effect, Schema, Stream } from "effect"
import type { Chunk } from "../../domain/chunk/Chunk.ts"
import { PageView } from "../../domain/document/Page.ts"
import { markedText } from "../../domain/document/PageMarks.ts"
import type { DocumentId } from "../../domain/Ids.ts"
import type { NotIngested, Target } from "./Target.ts"

export const formats = ["text", "ndjson", "md", "html", "json", "chunks"] as const
export type Format = (typeof formats)[number]

export const extensionOf: Record<Format, string> = {
  text: ".txt",
  ndjson: ".ndjson",
  md: ".md",
  html: ".html",
  json: ".json",
  chunks: ".chunks.ndjson"
}

/** Separates two documents in one output. */
export const separatorOf: Record<Format, string> = { text: "\f", ndjson: "", md: "\n", html: "", json: "", chunks: "" }

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

/** A chunk per line. */
export const chunkLines = <E, R>(chunks: Stream.Stream<Chunk, E, R>) =>
  Stream.map(chunks, (chunk) => `${JSON.stringify(chunk)}\n`)

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
    case "chunks":
      return Stream.encodeText(chunkLines(target.chunks(id)))
    case "html":
    case "json":
      return target.rendered(id, format)
  }
}

// What a stage works on, by the names that settings use: of a file, of a page, or of a whole document. Nothing is made before it
// is asked for.
import { Effect, type Option, Stream } from "effect"
import { StageName } from "../../../domain/pipeline/Pipeline.ts"
import type { BlobLocation } from "../../../services/BlobStore.ts"
import type { Downstreams } from "../../../services/downstreams/Downstreams.ts"
import type {
  DocumentInput,
  PageInput,
  SourceInput,
  StageContent,
  StageFailure,
  StageSubject
} from "../../../services/pipelines/Stage.ts"
import type { ImageSettings } from "../../../services/pipelines/settings/Values.ts"
import type { PdfRef } from "../../../services/PdfEngine.ts"
import { documentText, type DocumentFormat, pageLayout, pageMarkdown } from "./DocumentTexts.ts"
import { final } from "./Failures.ts"

/** Draws one page of a PDF. */
export type DrawPage = (
  input: StageSubject & { readonly pdf: PdfRef; readonly page: number },
  image: ImageSettings
) => Effect.Effect<StageContent, StageFailure, Downstreams>

type Made<A> = Effect.Effect<A, StageFailure, Downstreams>

export interface Matter {
  readonly kind: "source" | "page" | "document"
  readonly subject: StageSubject
  /** Absent but for a page. */
  readonly page: number | undefined
  /** Absent but for a document. */
  readonly pages: number | undefined
  readonly location: BlobLocation
  /** A text of up to `most` bytes. */
  readonly text: (format: "text" | "markdown" | "layout", most: number) => Made<string>
  readonly image: (settings: ImageSettings) => Made<StageContent>
  readonly artifact: (stage: StageName) => Made<Option.Option<StageContent>>
}

const none = (kind: string, what: string) => Effect.fail(final(`a ${kind} stage has no ${what}`))

export const matterOfSource = (input: SourceInput): Matter => ({
  kind: "source",
  subject: input,
  page: undefined,
  pages: undefined,
  location: input.location,
  text: (format) => none("source", format),
  image: () => none("source", "image"),
  artifact: () => none("source", "artifact")
})

const withinBytes = (text: string, most: number) =>
  Buffer.byteLength(text) <= most
    ? Effect.succeed(text)
    : Effect.fail(final(`the page has a text of more than ${most} bytes, and the stage takes no more`))

export const matterOfPage = (input: PageInput, draw: DrawPage): Matter => ({
  kind: "page",
  subject: input,
  page: input.page.number,
  pages: undefined,
  location: input.pdf.location,
  text: (format, most) =>
    Effect.suspend(() => {
      if (format === "markdown") return withinBytes(pageMarkdown(input.page, input.name), most)
      return withinBytes(format === "layout" ? pageLayout(input.page) : input.page.text, most)
    }),
  image: (settings) => draw({ ...input, page: input.page.number }, settings),
  artifact: (stage) => input.earlier(stage)
})

const formats = { text: "plain", markdown: "markdown", layout: "json" } as const

/** All of the document's text, as long as it has no more than `most` bytes. */
export const wholeText = Effect.fnUntraced(function* (input: DocumentInput, format: DocumentFormat, most: number) {
  const parts: Array<string> = []
  let size = 0
  yield* Stream.runForEach(documentText(input, format), (part) => {
    size += Buffer.byteLength(part)
    if (size > most) {
      return Effect.fail(final(`the document has a text of more than ${most} bytes, and the stage takes no more`))
    }
    parts.push(part)
    return Effect.void
  })
  return parts.join("")
})

export const matterOfDocument = (input: DocumentInput): Matter => ({
  kind: "document",
  subject: input,
  page: undefined,
  pages: input.pageCount,
  location: input.pdf.location,
  text: (format, most) => wholeText(input, formats[format], most),
  image: () => none("document", "image"),
  artifact: (stage) => input.earlier(stage)
})

/** The stage in `artifact:<stage>`. */
export const artifactStage = (name: string): StageName | undefined =>
  name.startsWith("artifact:") ? StageName.make(name.slice("artifact:".length)) : undefined

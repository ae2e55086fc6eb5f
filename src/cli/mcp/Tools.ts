// What a model may do with a server over the Model Context Protocol. Every tool acts for the tenant of the client's key.
import { basename } from "node:path"
import { Effect, FileSystem, Schema, Stream } from "effect"
import { Tool, Toolkit } from "effect/ai"
import { type ClientError, DocumentId, PipelineName, SluiceClient } from "../../client.ts"
import { PageNumber } from "../../domain/document/Page.ts"
import { defaultHits, longestQuery, mostHits } from "../../domain/search/Search.ts"
import { reasonOfSystem } from "../SystemError.ts"

/** A text that a tool answers with: a model should ask for a part of a longer one. */
const mostCharacters = 100_000

const id = DocumentId.annotate({ description: "The document's id, from upload_pdf, list_documents or search" })
const page = (description: string) => Schema.optionalKey(PageNumber.annotate({ description }))

const failure = Schema.Struct({ code: Schema.String, detail: Schema.String })

const Document = Schema.Struct({
  id: Schema.String,
  name: Schema.String,
  status: Schema.String,
  pages: Schema.optionalKey(Schema.Natural),
  pagesDone: Schema.Natural,
  error: Schema.optionalKey(Schema.String)
})

const Text = Schema.Struct({
  text: Schema.String,
  isCut: Schema.optionalKey(
    Schema.Literal(true).annotate({ description: "The text is longer: ask for fewer pages with `from` and `to`" })
  )
})

const UploadPdf = Tool.make("upload_pdf", {
  description:
    "Sends a PDF file of this machine to the server, which reads it. Answers with its id at once; document_status tells when it has ended.",
  parameters: Schema.Struct({
    path: Schema.String.annotate({ description: "The path of the file" }),
    pipeline: Schema.optionalKey(
      PipelineName.annotate({
        description:
          "`rag`: search finds its text. `ocr`: pages that are images are read, too. By default as the server is set up"
      })
    )
  }),
  success: Schema.Struct({ id: Schema.String, name: Schema.String, isKnown: Schema.Boolean }),
  failure,
  failureMode: "return"
})

const DocumentStatus = Tool.make("document_status", {
  description:
    "The state of a document: queued, running, completed, partial, failed or cancelled, and how many pages were read.",
  parameters: Schema.Struct({ id }),
  success: Document,
  failure,
  failureMode: "return"
}).annotate(Tool.Readonly, true)

const ListDocuments = Tool.make("list_documents", {
  description: "The newest documents.",
  parameters: Schema.Struct({
    limit: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100 })))
  }),
  success: Schema.Struct({ documents: Schema.Array(Document) }),
  failure,
  failureMode: "return"
}).annotate(Tool.Readonly, true)

const ReadMarkdown = Tool.make("read_markdown", {
  description: "A document, or some of its pages, as Markdown with headings, lists and tables.",
  parameters: Schema.Struct({ id, from: page("The first page"), to: page("The last page") }),
  success: Text,
  failure,
  failureMode: "return"
}).annotate(Tool.Readonly, true)

const SearchDocuments = Tool.make("search", {
  description:
    "Finds the passages of all documents that answer a question best, with the document's id and the page. Only documents that went through a pipeline with the stage index are found.",
  parameters: Schema.Struct({
    query: Schema.String.check(Schema.isMaxLength(longestQuery)),
    documents: Schema.optionalKey(Schema.Array(id).annotate({ description: "Only in these" })),
    limit: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: mostHits })))
  }),
  success: Schema.Struct({
    hits: Schema.Array(
      Schema.Struct({
        id: Schema.String,
        name: Schema.String,
        pages: Schema.Tuple([Schema.Natural, Schema.Natural]),
        headings: Schema.Array(Schema.String),
        text: Schema.String,
        score: Schema.Finite
      })
    ),
    degraded: Schema.Array(Schema.String)
  }),
  failure,
  failureMode: "return"
}).annotate(Tool.Readonly, true)

export const SluiceTools = Toolkit.make(UploadPdf, DocumentStatus, ListDocuments, ReadMarkdown, SearchDocuments)

const failed = (error: ClientError) =>
  error._tag === "Refused"
    ? { code: error.code, detail: error.detail }
    : { code: error._tag === "Unreachable" ? "UNREACHABLE" : "UNEXPECTED_ANSWER", detail: error.message }

type Known = Effect.Success<ReturnType<SluiceClient["Service"]["status"]>>

const documentOf = ({ error, id, name, progress, status }: Omit<Known, "outline">): typeof Document.Type => ({
  id,
  name,
  status,
  ...(progress.pages === undefined ? {} : { pages: progress.pages }),
  pagesDone: progress.done,
  ...(error === undefined ? {} : { error: `${error.code}: ${error.message}` })
})

/** The begin of the text, as much as a tool answers with. */
const collected = <E, R>(parts: Stream.Stream<string, E, R>) =>
  Stream.runFold(
    parts,
    () => "",
    (text, part) => (text.length > mostCharacters ? text : text + part)
  ).pipe(
    Effect.map((text): typeof Text.Type =>
      text.length > mostCharacters ? { text: text.slice(0, mostCharacters), isCut: true } : { text }
    )
  )

export const toolHandlers = SluiceTools.toLayer(
  Effect.gen(function* () {
    const sluice = yield* SluiceClient
    const files = yield* FileSystem.FileSystem
    return SluiceTools.of({
      upload_pdf: Effect.fnUntraced(function* ({ path, pipeline }) {
        const bytes = yield* files
          .readFile(path)
          .pipe(Effect.mapError((error) => ({ code: "UNREADABLE", detail: reasonOfSystem(error) })))
        const { duplicateOf, id, name } = yield* sluice
          .ingest(bytes, { name: basename(path), size: bytes.length, pipeline })
          .pipe(Effect.mapError(failed))
        return { id, name, isKnown: duplicateOf !== undefined }
      }),
      document_status: ({ id }) => Effect.mapBoth(sluice.status(id), { onFailure: failed, onSuccess: documentOf }),
      list_documents: ({ limit = 20 }) =>
        Effect.mapBoth(sluice.list({ limit }), {
          onFailure: failed,
          onSuccess: ({ documents }) => ({ documents: documents.map(documentOf) })
        }),
      read_markdown: ({ from, id, to }) =>
        sluice.render(id, { format: "markdown", from, to, mark: "missing" }).pipe(
          Effect.flatMap(({ text }) => collected(text)),
          Effect.mapError(failed)
        ),
      search: ({ documents, limit = defaultHits, query }) =>
        Effect.mapBoth(sluice.search(query, { limit, ...(documents === undefined ? {} : { documents }) }), {
          onFailure: failed,
          onSuccess: ({ degraded, hits }) => ({
            hits: hits.map(({ chunk, document, score }) => ({
              id: document.id,
              name: document.name,
              pages: chunk.pages,
              headings: chunk.headings,
              text: chunk.text,
              score
            })),
            degraded: degraded.map(({ detail }) => detail)
          })
        })
    })
  })
)

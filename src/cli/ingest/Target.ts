import { Context, type Effect, type Redacted, Schema, type Stream } from "effect"
import type { Chunk } from "../../domain/chunk/Chunk.ts"
import type { DocumentStatus } from "../../domain/document/Document.ts"
import type { DocumentId } from "../../domain/Ids.ts"
import type { PipelineName } from "../../domain/pipeline/Pipeline.ts"
import type { PageView } from "../../domain/document/Page.ts"
import type { Warning } from "../../domain/document/Warning.ts"
import type { Unreachable } from "../../client.ts"

/** A file to ingest. */
export interface Input {
  /** The path as given on the command line. */
  readonly path: string
  /** The file that contains the bytes, if it is not `path`. */
  readonly spool?: string
  /** The name of the document. */
  readonly name: string
  readonly size: number
}

/** What holds for all files. */
export interface TargetOptions {
  readonly password: Redacted.Redacted | undefined
  readonly pipeline: PipelineName | undefined
}

/** The state of a document that is shown as progress. */
export interface Seen {
  readonly status: DocumentStatus
  readonly done: number
  readonly failed: number
  /** Pages with warnings. */
  readonly warned: number
  /** Warnings about the file as a whole. */
  readonly warnings: ReadonlyArray<Warning>
  readonly pages: number | undefined
  readonly error: { readonly code: string; readonly detail: string } | undefined
  /** Why the document waits. */
  readonly waiting: string | undefined
}

/** One file could not be ingested; others may be. */
export class NotIngested extends Schema.TaggedError<NotIngested>()("NotIngested", {
  code: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `${this.code}: ${this.detail}`
  }
}

export interface Accepted {
  readonly id: DocumentId
  /** The server had the bytes already; `id` is the existing document. */
  readonly duplicate: boolean
}

/** Callbacks while a file is sent. */
export interface Sending {
  readonly sent: (bytes: number) => Effect.Effect<void>
  /** The server asked to send the file again later. */
  readonly busy: (code: string, seconds: number) => Effect.Effect<void>
}

/** Where files are sent: to a server, or to the engine in this process. */
export class Target extends Context.Service<
  Target,
  {
    readonly submit: (input: Input, sending: Sending) => Effect.Effect<Accepted, NotIngested | Unreachable>
    /** Ends when the document has ended. */
    readonly follow: (id: DocumentId) => Stream.Stream<Seen, NotIngested>
    readonly pages: (id: DocumentId) => Stream.Stream<PageView, NotIngested>
    /** The document as a whole; pages that are missing or incomplete are marked in Markdown and HTML. */
    readonly rendered: (id: DocumentId, format: "markdown" | "html" | "json") => Stream.Stream<Uint8Array, NotIngested>
    readonly chunks: (id: DocumentId) => Stream.Stream<Chunk, NotIngested>
    /** Releases the document; it is not used after this. */
    readonly forget: (id: DocumentId) => Effect.Effect<void>
  }
>()("sluice/cli/ingest/Target") {}

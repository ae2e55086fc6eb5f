import { Context, type Effect, Schema, type Stream } from "effect"
import type { DocumentStatus } from "../../domain/document/Document.ts"
import type { DocumentId } from "../../domain/Ids.ts"
import type { PageView } from "../../domain/document/Page.ts"
import type { Warning } from "../../domain/document/Warning.ts"
import type { Unreachable } from "../../client.ts"

/** A file that is to be ingested. */
export interface Input {
  /** As it is called on the command line. */
  readonly path: string
  /** Where its bytes are, if not at the path. */
  readonly spool?: string
  /** As the document is called. */
  readonly name: string
  readonly size: number
}

/** What can be seen of a document. */
export interface Seen {
  readonly status: DocumentStatus
  readonly done: number
  readonly failed: number
  /** Pages with warnings. */
  readonly warned: number
  /** Of the file as a whole. */
  readonly warnings: ReadonlyArray<Warning>
  readonly pages: number | undefined
  readonly error: { readonly code: string; readonly detail: string } | undefined
  /** What holds it up. */
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
  /** The bytes were there already, and this document stands in. */
  readonly duplicate: boolean
}

/** What happens while a file is sent. */
export interface Sending {
  readonly sent: (bytes: number) => Effect.Effect<void>
  /** It was told to come again. */
  readonly busy: (code: string, seconds: number) => Effect.Effect<void>
}

/** Where files go: a server, or the engine in this process. */
export class Target extends Context.Service<
  Target,
  {
    readonly submit: (input: Input, sending: Sending) => Effect.Effect<Accepted, NotIngested | Unreachable>
    /** Ends with the document's end. */
    readonly follow: (id: DocumentId) => Stream.Stream<Seen, NotIngested>
    readonly pages: (id: DocumentId) => Stream.Stream<PageView, NotIngested>
    /** Nothing more is asked about the document. */
    readonly forget: (id: DocumentId) => Effect.Effect<void>
  }
>()("sluice/cli/commands/ingest/Target") {}

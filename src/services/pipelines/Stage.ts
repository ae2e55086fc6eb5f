import { type Effect, Schema } from "effect"
import type { Option } from "effect"
import type { OutlineItem } from "../../domain/document/Document.ts"
import type { PageResult } from "../../domain/document/Page.ts"
import type { Warning } from "../../domain/document/Warning.ts"
import { Failure, failure, type FailureCode } from "../../domain/Failure.ts"
import type { DocumentId, TenantId } from "../../domain/Ids.ts"
import type { StageName, StageVersion } from "../../domain/pipeline/Pipeline.ts"
import type { PdfRef } from "../PdfEngine.ts"
import type { BlobLocation } from "../BlobStore.ts"
import type { StoreUnavailable } from "../store/StoreErrors.ts"
import type { DownstreamFailure, Downstreams } from "../downstreams/Downstreams.ts"

/** Bytes and what they are. */
export interface StageContent {
  readonly mediaType: string
  readonly bytes: Uint8Array
}

/**
 * The stage could not do its work on this input. `again`: another try may succeed, and costs one of the retries of the page; a
 * failure that is not to be tried again is final. What a downstream could not answer passes through as `DownstreamFailure`.
 */
export class StageError extends Schema.TaggedError<StageError>()("StageError", {
  failure: Failure,
  again: Schema.Boolean
}) {
  static of(code: FailureCode, message: string, again = false) {
    return new StageError({ failure: failure(code, message), again })
  }

  override get message() {
    return this.failure.message
  }
}

/** The document that is worked on. */
export interface StageSubject {
  readonly tenant: TenantId
  readonly document: DocumentId
  /** As it was uploaded; for people, never a path. */
  readonly name: string
  readonly priority: number
}

/**
 * What another stage of the pipeline made of the same page, or of the document; none if it made nothing. Fails with `BLOB_LOST` if
 * its content is gone, which no other try brings back.
 */
export type EarlierContent = (
  stage: StageName
) => Effect.Effect<Option.Option<StageContent>, StoreUnavailable | StageError>

export interface SourceInput extends StageSubject {
  /** The file as it was sent. */
  readonly location: BlobLocation
}

export interface PageInput extends StageSubject {
  readonly pdf: PdfRef
  /** As earlier stages left it. */
  readonly page: PageResult
  readonly earlier: EarlierContent
}

export interface DocumentInput extends StageSubject {
  readonly pdf: PdfRef
  readonly pageCount: number
  /** Of the file. */
  readonly outline?: ReadonlyArray<OutlineItem>
  /** Finished pages in order from page `from` on, with their layouts: a bounded portion, empty when there are no more. */
  readonly pages: (from: number) => Effect.Effect<ReadonlyArray<PageResult>, StoreUnavailable>
  /** What a page stage made of one page. */
  readonly earlierOfPage: (
    page: number,
    stage: StageName
  ) => Effect.Effect<Option.Option<StageContent>, StoreUnavailable | StageError>
  readonly earlier: EarlierContent
}

/** The PDF that a source stage made of the file. */
export interface SourceOutput {
  readonly pdf: Uint8Array
}

/** What a page stage has read, in place of what is known of the page. */
export type PageReading = Pick<PageResult, "text" | "lines" | "layout">

export interface PageOutput {
  readonly content: StageContent
  /** From a stage that `provides` the page's text: what the page shows now. It makes the page `ok`, or `empty` without text. */
  readonly reading?: PageReading
  readonly warnings?: ReadonlyArray<Warning>
}

/** Documents get warnings only through what their stages failed to do. */
export interface DocumentOutput {
  readonly content: StageContent
}

export type StageFailure = StageError | DownstreamFailure | StoreUnavailable

interface StageBase {
  readonly name: StageName
  readonly version: StageVersion
  /** Stages of the same pipeline whose artifacts it reads. They come before it. */
  readonly needs: ReadonlyArray<StageName>
  /** What it calls, to be shown to people. */
  readonly downstream?: string
}

/** Makes the PDF of a file that is none, before the document is opened. */
export interface SourceStage extends StageBase {
  readonly kind: "source"
  /** Whether the file may be one that it can read, judged by its first bytes (at most 1 KiB) and its name. */
  readonly accepts: (head: Uint8Array, name: string) => boolean
  readonly run: (input: SourceInput) => Effect.Effect<SourceOutput, StageFailure, Downstreams>
}

export interface PageStage extends StageBase {
  readonly kind: "page"
  /** `text`: what it reads becomes the result of the page, which is delivered only then. */
  readonly provides: "text" | "artifact"
  readonly run: (input: PageInput) => Effect.Effect<PageOutput, StageFailure, Downstreams>
}

export interface DocumentStage extends StageBase {
  readonly kind: "document"
  readonly run: (input: DocumentInput) => Effect.Effect<DocumentOutput, StageFailure, Downstreams>
}

/**
 * A named and versioned step of work. `run` may be interrupted at any time, and run again with the same input after a crash:
 * what is stored is never run again. It asks for its place at a downstream itself, by `Downstreams.call`. The engine gives it
 * `Downstreams`; other services it has from where it is made.
 */
export type Stage = SourceStage | PageStage | DocumentStage

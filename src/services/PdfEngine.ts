import type { Effect, Redacted, Scope, Stream } from "effect"
import { Context, Schema } from "effect"
import type { OutlineItem, PdfMetadata } from "../domain/document/Document.ts"
import { Failure } from "../domain/Failure.ts"
import type { PageResult } from "../domain/document/Page.ts"
import type { Warning } from "../domain/document/Warning.ts"
import type { BlobLocation } from "./BlobStore.ts"

/** The file is at fault: reading it again gives the same answer. */
export class PdfUnreadable extends Schema.TaggedError<PdfUnreadable>()("PdfUnreadable", { failure: Failure }) {
  override get message() {
    return `${this.failure.code}: ${this.failure.message}`
  }
}

/**
 * The worker died during a call for the file. Whether the file is the cause is not known: `memory` says that the worker died at
 * its memory limit, which points at the file.
 */
export class WorkerDied extends Schema.TaggedError<WorkerDied>()("WorkerDied", {
  memory: Schema.Boolean,
  detail: Schema.String
}) {
  override get message() {
    return `a page worker died${this.memory ? " at its memory limit" : ""}: ${this.detail}`
  }
}

/** No worker is available: none can be started, or the engine is stopping. The file is not the cause. */
export class EngineUnavailable extends Schema.TaggedError<EngineUnavailable>()("EngineUnavailable", {
  detail: Schema.String
}) {
  override get message() {
    return `no page worker can be had: ${this.detail}`
  }
}

/**
 * The runner that reads is gone, or cannot be reached, or cannot read this file now. Neither the file nor a page is the cause:
 * what is unread is read elsewhere.
 */
export class PoolLost extends Schema.TaggedError<PoolLost>()("PoolLost", {
  pool: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `the page workers of ${this.pool} are lost: ${this.detail}`
  }
}

export class PdfEngineError extends Schema.TaggedError<PdfEngineError>()("PdfEngineError", {
  reason: Schema.Union([PdfUnreadable, WorkerDied, EngineUnavailable, PoolLost])
}) {
  override get message() {
    return this.reason.message
  }
}

/** A PDF to be read. Calls with the same `key` are about the same bytes, so a worker may keep it open between them. */
export interface PdfRef {
  readonly key: string
  readonly location: BlobLocation
  readonly password: Redacted.Redacted | undefined
}

export interface OpenedPdf {
  /** As the file claims; not yet checked against any limit. */
  readonly pageCount: number
  readonly metadata: PdfMetadata
  readonly outline: ReadonlyArray<OutlineItem>
  /** Of the file as a whole. */
  readonly warnings?: ReadonlyArray<Warning>
}

/** The first pages, which may be read along when a file is opened. */
export interface HeadRequest {
  /** The most pages to read; fewer if they take long. */
  readonly pages: number
  /** Pages read at a time. */
  readonly concurrency: number
}

export interface OpenedWithHead extends OpenedPdf {
  /** Results of some of the first pages, in any order. The others are still to be read. */
  readonly head?: ReadonlyArray<PageResult>
  /** What reading them took in all; the pages' own times may overlap. */
  readonly headMillis?: number
  /** Pages whose reading was cut off, because it took long or ended the worker: one of them is to blame. */
  readonly suspects?: ReadonlyArray<number>
}

export interface WorkerStatus {
  readonly pid: number
  readonly busy: boolean
  readonly rssBytes: number
  readonly pagesRead: number
}

/** A wall around page workers: it keeps them from other files and programs, the network, or other processes. */
export interface Wall {
  readonly name: "files" | "network" | "signals"
  readonly stands: boolean
  /** Why the wall is missing. */
  readonly detail?: string
}

/** In words: "walled off from files, network; not from signals (the system refuses it)". */
export const describeWalls = (walls: ReadonlyArray<Wall>): string => {
  const standing = walls.filter(({ stands }) => stands).map(({ name }) => name)
  const missing = walls
    .filter(({ stands }) => !stands)
    .map(({ detail, name }) => (detail === undefined ? name : `${name} (${detail})`))
  const parts = [
    ...(standing.length > 0 ? [`walled off from ${standing.join(", ")}`] : []),
    ...(missing.length > 0 ? [`not from ${missing.join(", ")}`] : [])
  ]
  return parts.join("; ")
}

export interface EngineStatus {
  readonly workers: ReadonlyArray<WorkerStatus>
  /** Why no worker is available; absent while one is. */
  readonly unavailable?: string
  /** Absent where nothing is known of the walls. */
  readonly walls?: ReadonlyArray<Wall>
  /** Workers replaced since the start: after a death, a kill, or too much memory. */
  readonly replaced: number
}

/**
 * Reads PDFs. The only place where a PDF's bytes are interpreted; nothing is assumed of them.
 *
 * Interrupting a call stops its work: within a second no processor time is spent on it, whatever it was doing.
 */
export class PdfEngine extends Context.Service<
  PdfEngine,
  {
    /** How many calls run at once. A call beyond that waits for a worker. */
    readonly capacity: number
    /**
     * How many calls need no waiting for a worker, running calls included: `capacity` less the workers that are being started,
     * replaced, or stopped after an interruption. While no worker is available it is `capacity`: calls fail at once.
     */
    readonly ready: () => number
    /** Calls the listener whenever `ready` may have risen, until the scope ends. */
    readonly onReady: (listener: () => void) => Effect.Effect<void, never, Scope.Scope>
    /** Reads the file's structure and, in the same call, the first pages that `head` asks for (by default none). */
    readonly open: (pdf: PdfRef, head?: HeadRequest) => Effect.Effect<OpenedWithHead, PdfEngineError>
    /**
     * Reads these pages, `concurrency` of them at a time, and emits each result as it is ready: in any order, each once.
     * A page that cannot be read is a result with status `failed`; it does not spoil its neighbours.
     */
    readonly read: (
      pdf: PdfRef,
      pages: ReadonlyArray<number>,
      concurrency: number
    ) => Stream.Stream<PageResult, PdfEngineError>
    /** Lets workers forget the document. */
    readonly close: (key: string) => Effect.Effect<void>
    readonly status: Effect.Effect<EngineStatus>
  }
>()("sluice/services/PdfEngine") {}

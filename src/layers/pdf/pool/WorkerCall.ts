// One call of a page worker: without effects, so that no step can be interrupted.
import { Deferred, Effect } from "effect"
import type { PageResult } from "../../../domain/document/Page.ts"
import type { BlobLocation } from "../../../services/BlobStore.ts"
import { type OpenedPdf, PdfUnreadable, WorkerDied } from "../../../services/PdfEngine.ts"
import type { Outcome, Report, Timing, Work } from "./Protocol.ts"
import { CallChecker } from "./Reports.ts"

/** Receives the events of one call. `end` comes once and last. */
export interface CallListener {
  readonly opened?: (opened: OpenedPdf) => void
  readonly pages: (results: ReadonlyArray<PageResult>) => void
  /** What reading the head took; called before the end. */
  readonly headMillis?: (millis: number) => void
  readonly end: (reason: PdfUnreadable | WorkerDied | undefined) => void
  /** Called before the end; without this listener nothing is measured. A call that ended with its worker has no times. */
  readonly timing?: ((timing: Timing) => void) | undefined
}

/** Why a call that the worker has ended is no success, if it is none. */
const reasonOf = (outcome: Exclude<Outcome, { readonly _tag: "NotHeld" }>): PdfUnreadable | WorkerDied | undefined => {
  switch (outcome._tag) {
    case "Unreadable":
      return new PdfUnreadable({ failure: outcome.failure })
    case "Defect":
      return new WorkerDied({ memory: false, detail: outcome.detail })
    case "Aborted":
    case "Done":
      return undefined
  }
}

/**
 * A call is new, then sent (the worker has the document, or gets its bytes), then over. If the worker does not have the document
 * after all, the call is new again. It may be dropped before it is over: then its listener hears nothing more.
 */
export class WorkerCall {
  readonly id: number
  readonly work: Work
  readonly location: BlobLocation
  readonly #checker: CallChecker
  readonly #onOver: () => void
  readonly #end = Deferred.makeUnsafe<void>()
  #listener: CallListener | undefined
  #isOver = false
  #sent: "held" | "bytes" | undefined

  /** `onOver` is called before the listener hears of the end, which may bring the next call. */
  constructor(id: number, work: Work, location: BlobLocation, listener: CallListener, onOver: () => void) {
    this.id = id
    this.work = work
    this.location = location
    this.#checker = new CallChecker(work)
    this.#listener = listener
    this.#onOver = onOver
  }

  /** It was sent to a worker that holds the document or that gets its bytes. */
  sentAs(how: "held" | "bytes"): void {
    this.#sent = how
  }

  /** The worker does not hold the document. Returns false if it was to get the bytes, or has them. */
  notHeld(): boolean {
    if (this.#sent !== "held") return false
    this.#sent = undefined
    return true
  }

  /** Its caller is gone. */
  drop(): void {
    this.#listener = undefined
  }

  opened(opened: OpenedPdf): void {
    this.#listener?.opened?.(opened)
  }

  pages(results: ReadonlyArray<PageResult>): void {
    this.#listener?.pages(results)
  }

  /** The worker has ended it, perhaps with its last results. */
  ended(outcome: Exclude<Outcome, { readonly _tag: "NotHeld" }>, timing: Timing | undefined): void {
    if (timing !== undefined) this.#listener?.timing?.(timing)
    if (outcome._tag === "Done") {
      this.pages(outcome.results)
      if (outcome.headMillis !== undefined) this.#listener?.headMillis?.(outcome.headMillis)
    }
    this.end(reasonOf(outcome))
  }

  end(reason: PdfUnreadable | WorkerDied | undefined): void {
    if (this.#isOver) return
    const listener = this.#listener
    this.#listener = undefined
    this.#isOver = true
    this.#onOver()
    listener?.end(reason)
    Deferred.doneUnsafe(this.#end, Effect.void)
  }

  /** Why the report cannot belong to this call, if it cannot. */
  objection(report: Exclude<Report, { readonly _tag: "Ready" }>): string | undefined {
    return this.#sent === undefined ? "it reported of another call" : this.#checker.objection(report)
  }

  get isSent(): boolean {
    return this.#sent !== undefined
  }

  /** Neither dropped nor over. */
  get isUnderWay(): boolean {
    return this.#listener !== undefined
  }

  get isTimed(): boolean {
    return this.#listener?.timing !== undefined
  }

  /** Succeeds when it is over. */
  get untilOver(): Effect.Effect<void> {
    return Deferred.await(this.#end)
  }
}

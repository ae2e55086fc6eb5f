// The messages between the engine and a page worker. Plain data: it crosses a process boundary by structured clone. Reports.ts
// checks the messages to the engine; those to a worker come from the engine, and the tag decides.
import { extname } from "node:path"
import type { Failure } from "../../../domain/Failure.ts"
import type { PageResult } from "../../../domain/document/Page.ts"
import type { BlobHash } from "../../../domain/Ids.ts"
import type { HeadRequest, OpenedPdf } from "../../../services/PdfEngine.ts"

/**
 * `Held` bets that the worker has the document open, so that bytes are not sent again for each range of pages. `Portions` is
 * followed by so many bytes as they are; only the end of their call may come before them.
 */
export type Source =
  | { readonly _tag: "Held" }
  | { readonly _tag: "Bytes"; readonly bytes: Uint8Array; readonly hash?: BlobHash | undefined }
  | { readonly _tag: "Portions"; readonly size: number; readonly hash?: BlobHash | undefined }

/** Work for one worker. It has one call at a time, and every call ends with exactly one `Ended`. */
export type Work =
  | { readonly _tag: "Open"; readonly key: string; readonly password: string | undefined; readonly head: HeadRequest }
  | {
      readonly _tag: "Read"
      readonly key: string
      readonly password: string | undefined
      readonly pages: ReadonlyArray<number>
      readonly concurrency: number
    }

export type Command =
  /** The end of a call that is `timed` has the times of its events. */
  | {
      readonly _tag: "Start"
      readonly call: number
      readonly work: Work
      readonly source: Source
      readonly timed: boolean
    }
  /** The rest of the portions cannot be read. */
  | { readonly _tag: "CutOff"; readonly call: number; readonly failure: Failure }
  | { readonly _tag: "Abort"; readonly call: number }
  | { readonly _tag: "Close"; readonly key: string }

/** By the worker's own clock, in milliseconds since the epoch. */
export interface Timing {
  readonly from: number
  readonly to: number
  /** Pages that took long, and when they were done. */
  readonly slow: ReadonlyArray<{ readonly page: number; readonly at: number; readonly elapsedMillis: number }>
}

export type Outcome =
  /** With the last of the results; `headMillis` is what reading the head took, if the call asked for one. */
  | { readonly _tag: "Done"; readonly results: ReadonlyArray<PageResult>; readonly headMillis?: number }
  | { readonly _tag: "Aborted" }
  /** The bet on `Held` was lost; nothing has been done. */
  | { readonly _tag: "NotHeld" }
  | { readonly _tag: "Unreadable"; readonly failure: Failure }
  | { readonly _tag: "Defect"; readonly detail: string }

export type Report =
  /** The worker has loaded and used pdf.js once, so its first document costs no more than the next. */
  | { readonly _tag: "Ready"; readonly rssBytes: number }
  /** Sent before the head is read: it decides what becomes of the document if one of its pages spins. */
  | { readonly _tag: "Opened"; readonly call: number; readonly opened: OpenedPdf }
  | { readonly _tag: "Pages"; readonly call: number; readonly results: ReadonlyArray<PageResult> }
  | {
      readonly _tag: "Ended"
      readonly call: number
      readonly outcome: Outcome
      readonly timing: Timing | undefined
      readonly rssBytes: number
      /** Keys of the documents it holds open now. */
      readonly held: ReadonlyArray<string>
    }

const commands: ReadonlySet<unknown> = new Set<Command["_tag"]>(["Start", "CutOff", "Abort", "Close"])

export const isCommand = (message: unknown): message is Command =>
  typeof message === "object" && message !== null && "_tag" in message && commands.has(message._tag)

/** A module of this folder as an entry: `.ts` from source, `.js` once built. */
export const moduleBeside = (url: string, name: string): URL =>
  new URL(`./${name}${extname(new URL(url).pathname)}`, url)

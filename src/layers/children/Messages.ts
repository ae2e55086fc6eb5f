// The messages between the engine and a child that does one task at a time. Plain data: it crosses a process boundary by
// structured clone. A child works on hostile files, so its answers are checked; what they hold is checked by the caller.
import { Failure } from "../../domain/Failure.ts"
import { Schema } from "effect"

/** A task, and the bytes that it works on: those that come next in portions, those of the key that the child has kept, or none. */
export interface Task {
  readonly call: number
  readonly task: unknown
  readonly key: string | undefined
  /** The number of the bytes that follow; undefined when the child has them, or needs none. */
  readonly size: number | undefined
  /** The SHA-256 that they have to have. */
  readonly hash: string | undefined
}

export type Message =
  | ({ readonly _tag: "Task" } & Task)
  /** The rest of the bytes cannot be read. */
  | { readonly _tag: "CutOff"; readonly call: number; readonly failure: Failure }

export type Answer =
  | { readonly _tag: "Ready"; readonly rssBytes: number }
  | {
      readonly _tag: "Done"
      readonly call: number
      readonly value: unknown
      readonly rssBytes: number
      /** Keys of the bytes that the child has kept. */
      readonly held: ReadonlyArray<string>
    }
  | {
      readonly _tag: "Failed"
      readonly call: number
      readonly failure: Failure
      readonly rssBytes: number
      readonly held: ReadonlyArray<string>
    }

export const isMessage = (message: unknown): message is Message =>
  typeof message === "object" &&
  message !== null &&
  "_tag" in message &&
  (message._tag === "Task" || message._tag === "CutOff")

const amount = Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0))
const end = {
  call: Schema.Natural,
  rssBytes: amount,
  held: Schema.Array(Schema.String.check(Schema.isMaxLength(4_096))).check(Schema.isMaxLength(64))
}

/** Whether a child said what a child may say. */
export const isAnswer: (message: unknown) => message is Answer = Schema.is(
  Schema.Union([
    Schema.Struct({ _tag: Schema.Literal("Ready"), rssBytes: amount }),
    Schema.Struct({ _tag: Schema.Literal("Done"), value: Schema.Unknown, ...end }),
    Schema.Struct({ _tag: Schema.Literal("Failed"), failure: Failure, ...end })
  ])
)

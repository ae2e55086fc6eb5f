// What a far side or a command answered with, as the output of a stage.
import { Effect, JsonPointer, Result, Schema } from "effect"
import type { DocumentOutput, PageOutput, SourceOutput, StageContent } from "../../../services/pipelines/Stage.ts"
import { excerpt, passing } from "./Failures.ts"
import { readingOf } from "./Reading.ts"

export type TextKind = "json" | "text" | "markdown"

const mediaTypes = {
  json: "application/json",
  text: "text/plain; charset=utf-8",
  markdown: "text/markdown; charset=utf-8"
} as const

const utf8 = new TextDecoder("utf-8", { fatal: true })

/** The bytes as a text; `what` begins the message when they are none. */
export const decodeText = (bytes: Uint8Array, what: string) =>
  Effect.try({
    try: () => utf8.decode(bytes),
    catch: () => passing(`${what} is no text in UTF-8`)
  })

const parseJson = Schema.decodeUnknownResult(Schema.fromJsonString(Schema.Json))

export const decodeJson = (bytes: Uint8Array, what: string) =>
  Effect.flatMap(decodeText(bytes, what), (text) =>
    Result.match(parseJson(text), {
      onSuccess: Effect.succeed,
      onFailure: () => Effect.fail(passing(`${what} is not JSON; it begins: ${excerpt(text, 120)}`))
    })
  )

/** The value at the place; undefined when there is none. */
export const valueAt = (value: Schema.Json, pointer: string): Schema.Json | undefined => {
  let at: Schema.Json | undefined = value
  for (const token of pointer.split("/").slice(1)) {
    if (typeof at !== "object" || at === null) return undefined
    const key = JsonPointer.unescapeToken(token)
    at = Object.entries(at).find(([name]) => name === key)?.[1]
  }
  return at
}

export const pickFrom = (value: Schema.Json, pointer: string, what: string) => {
  const found = valueAt(value, pointer)
  return found === undefined ? Effect.fail(passing(`${what} has nothing at ${pointer}`)) : Effect.succeed(found)
}

export const pickText = (value: Schema.Json, pointer: string, what: string) =>
  Effect.filterOrFail(
    pickFrom(value, pointer, what),
    (found) => typeof found === "string",
    () => passing(`${what} has no text at ${pointer === "" ? "its top" : pointer}`)
  )

export const textContent = (kind: TextKind, text: string): StageContent => ({
  mediaType: mediaTypes[kind],
  bytes: new TextEncoder().encode(text)
})

/** Content that is a text, or JSON. */
export interface Answered {
  readonly content: StageContent
  /** The text that a page gets, if the stage provides it. */
  readonly pageText?: string | undefined
}

export const pageOutput = (provides: "text" | "artifact", { content, pageText }: Answered): PageOutput => {
  if (provides === "artifact") return { content }
  const { reading, warnings } = readingOf(pageText ?? new TextDecoder().decode(content.bytes))
  return { content, reading, ...(warnings.length === 0 ? {} : { warnings }) }
}

export const documentOutput = ({ content }: Answered): DocumentOutput => ({ content })

/** A PDF may have a few bytes before its head. */
const headWithin = 1_024

export const sourceOutput = (bytes: Uint8Array, what: string) => {
  const head = Buffer.from(bytes.subarray(0, headWithin)).toString("latin1")
  const output: SourceOutput = { pdf: bytes }
  return head.includes("%PDF-")
    ? Effect.succeed(output)
    : Effect.fail(passing(`${what} is no PDF; it has ${bytes.length} bytes and begins: ${excerpt(head, 60)}`))
}

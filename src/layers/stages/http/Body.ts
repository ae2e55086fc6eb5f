// The body of a call: what settings name, with the values of one page or document.
import { Effect, Option, Schema } from "effect"
import type { StageContent, StageFailure } from "../../../services/pipelines/Stage.ts"
import type { Downstreams } from "../../../services/downstreams/Downstreams.ts"
import type { HttpStageSettings, Sent } from "../../../services/pipelines/settings/HttpStageSettings.ts"
import { fillTemplate, placeholdersOf, placeholdersOfJson } from "../../../services/pipelines/settings/Values.ts"
import { final } from "../matter/Failures.ts"
import { readFile } from "../matter/FileBytes.ts"
import { artifactStage, type Matter } from "../matter/Matter.ts"
import { encodeForm, type FormPart } from "./Form.ts"

export interface Body {
  readonly contentType: string
  readonly bytes: string | Uint8Array
}

/** A value by its name: as a text, and as what stands alone in JSON. */
interface Value {
  readonly text: string
  readonly json: Schema.Json
}

const pdf = "application/pdf"
/** Of a file that is not a PDF yet, nobody has told the type. */
const fileType = ({ kind }: Matter) => (kind === "source" ? "application/octet-stream" : pdf)

const base64 = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64")

const parsed = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Json))
const plain = (text: string): Value => ({ text, json: text })
const asJson = (text: string): Value => ({ text, json: Option.getOrElse(parsed(text), () => text) })

/** What is drawn before the call has its place, since drawing waits for places of its own. */
export interface Prepared {
  readonly matter: Matter
  readonly image: StageContent | undefined
  readonly most: number
}

const artifactValue = Effect.fnUntraced(function* ({ matter }: Prepared, name: string) {
  const stage = artifactStage(name)
  const found = stage === undefined ? Option.none() : yield* matter.artifact(stage)
  if (Option.isNone(found)) return yield* final(`there is no ${name.replace(":", " of the stage ")}`)
  const { bytes, mediaType } = found.value
  const isText = mediaType.startsWith("text/") || mediaType.startsWith("application/json")
  if (!isText) return plain(base64(bytes))
  const text = new TextDecoder().decode(bytes)
  return mediaType.startsWith("application/json") ? asJson(text) : plain(text)
})

const imageOf = ({ image }: Prepared) =>
  image === undefined ? Effect.fail(final("there is no image of the page")) : Effect.succeed(image)

const valueOf = Effect.fnUntraced(function* (
  prepared: Prepared,
  name: string
): Effect.fn.Return<Value, StageFailure, Downstreams> {
  const { matter, most } = prepared
  const { subject } = matter
  switch (name) {
    case "name":
      return plain(subject.name)
    case "id":
      return plain(subject.document)
    case "tenant":
      return plain(subject.tenant)
    case "page":
      return { text: String(matter.page ?? ""), json: matter.page ?? null }
    case "pages":
      return { text: String(matter.pages ?? ""), json: matter.pages ?? null }
    case "text":
    case "markdown":
      return plain(yield* matter.text(name, most))
    case "layout":
      return asJson(yield* matter.text("layout", most))
    case "image":
      return plain(base64((yield* imageOf(prepared)).bytes))
    case "imageUrl": {
      const { bytes, mediaType } = yield* imageOf(prepared)
      return plain(`data:${mediaType};base64,${base64(bytes)}`)
    }
    case "file":
      return plain(base64(yield* readFile(matter.location, most)))
    default:
      return yield* artifactValue(prepared, name)
  }
})

const valuesOf = Effect.fnUntraced(function* (prepared: Prepared, names: ReadonlyArray<string>) {
  const values = new Map<string, Value>()
  for (const name of new Set(names)) values.set(name, yield* valueOf(prepared, name))
  return values
})

const fill = (template: string, values: ReadonlyMap<string, Value>) =>
  fillTemplate(template, (name) => values.get(name)?.text ?? "")

/** A text that is one placeholder and no more becomes the value itself: a number, an object. */
const fillJson = (value: Schema.Json, values: ReadonlyMap<string, Value>): Schema.Json => {
  if (typeof value === "string") {
    const alone = /^\{\{\s*([^{}]*?)\s*\}\}$/.exec(value)?.[1]
    const found = alone === undefined ? undefined : values.get(alone)
    return found === undefined ? fill(value, values) : found.json
  }
  if (typeof value !== "object" || value === null) return value
  if (Array.isArray(value)) return value.map((item: Schema.Json) => fillJson(item, values))
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, fillJson(item, values)]))
}

const fileParts: ReadonlySet<string> = new Set(["file", "image"])

const formPart = Effect.fnUntraced(function* (
  prepared: Prepared,
  name: string,
  template: string
): Effect.fn.Return<FormPart, StageFailure, Downstreams> {
  const names = placeholdersOf(template)
  const [alone = ""] = names
  if (names.length === 1 && fileParts.has(alone) && /^\{\{[^{}]*\}\}$/.test(template)) {
    if (alone === "image") {
      const { bytes, mediaType } = yield* imageOf(prepared)
      return {
        name,
        filename: `page-${prepared.matter.page ?? 1}.${mediaType.replace("image/", "")}`,
        mediaType,
        bytes
      }
    }
    const bytes = yield* readFile(prepared.matter.location, prepared.most)
    return { name, filename: prepared.matter.subject.name, mediaType: fileType(prepared.matter), bytes }
  }
  return { name, text: fill(template, yield* valuesOf(prepared, names)) }
})

const formOf = Effect.fnUntraced(function* (
  prepared: Prepared,
  form: Extract<Sent, { readonly form: unknown }>["form"]
) {
  const parts: Array<FormPart> = []
  for (const [name, value] of Object.entries(form)) {
    for (const template of typeof value === "string" ? [value] : value) {
      parts.push(yield* formPart(prepared, name, template))
    }
  }
  return encodeForm(parts)
})

const plainBody = Effect.fnUntraced(function* (
  prepared: Prepared,
  sent: "text" | "markdown" | "layout" | "image" | "file"
): Effect.fn.Return<Body, StageFailure, Downstreams> {
  const { matter, most } = prepared
  switch (sent) {
    case "text":
      return { contentType: "text/plain; charset=utf-8", bytes: yield* matter.text("text", most) }
    case "markdown":
      return { contentType: "text/markdown; charset=utf-8", bytes: yield* matter.text("markdown", most) }
    case "layout":
      return { contentType: "application/json", bytes: yield* matter.text("layout", most) }
    case "image": {
      const { bytes, mediaType } = yield* imageOf(prepared)
      return { contentType: mediaType, bytes }
    }
    case "file":
      return { contentType: fileType(matter), bytes: yield* readFile(matter.location, most) }
  }
})

const makeBody = Effect.fnUntraced(function* (prepared: Prepared, sent: Sent) {
  if (typeof sent === "string") return yield* plainBody(prepared, sent)
  if ("form" in sent) return yield* formOf(prepared, sent.form)
  const values = yield* valuesOf(prepared, placeholdersOfJson(sent.json))
  return { contentType: "application/json", bytes: JSON.stringify(fillJson(sent.json, values)) }
})

/** The body, of no more than `most` bytes. */
export const bodyOf = Effect.fnUntraced(function* (prepared: Prepared, { send }: HttpStageSettings) {
  const body: Body = yield* makeBody(prepared, send)
  const size = Buffer.byteLength(body.bytes)
  if (size > prepared.most) {
    return yield* final(`what is to be sent has ${size} bytes, and the stage sends ${prepared.most} at most (maxSent)`)
  }
  return body
})

/** Whether the body has this value in it. */
export const sends = ({ send }: HttpStageSettings, ...names: ReadonlyArray<string>): boolean => {
  if (typeof send === "string") return names.includes(send)
  const used =
    "json" in send
      ? placeholdersOfJson(send.json)
      : Object.values(send.form).flatMap((value) =>
          (typeof value === "string" ? [value] : value).flatMap(placeholdersOf)
        )
  return used.some((name) => names.includes(name))
}

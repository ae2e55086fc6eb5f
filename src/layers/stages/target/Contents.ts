// What a target writes of a document, as bytes that can be read again.
import { Effect, Option, Stream } from "effect"
import type { TargetFile } from "../../../services/pipelines/settings/TargetStageSettings.ts"
import type { DocumentInput, StageFailure, StageSubject } from "../../../services/pipelines/Stage.ts"
import { documentText } from "../matter/DocumentTexts.ts"
import { final } from "../matter/Failures.ts"

export interface Content {
  readonly mediaType: string
  readonly bytes: Stream.Stream<Uint8Array, StageFailure>
}

const formats = {
  text: { format: "plain", mediaType: "text/plain; charset=utf-8" },
  markdown: { format: "markdown", mediaType: "text/markdown; charset=utf-8" },
  html: { format: "html", mediaType: "text/html; charset=utf-8" },
  layout: { format: "json", mediaType: "application/json" }
} as const

/** Fails once there are more than `most` bytes. */
const within = (path: string, most: number) => (bytes: Content["bytes"]) =>
  Stream.suspend(() => {
    let size = 0
    return Stream.mapEffect(bytes, (part) => {
      size += part.length
      return size > most
        ? Effect.fail(final(`${path} would have more than ${most} bytes (maxSize)`))
        : Effect.succeed(part)
    })
  })

/** The content of one file; fails when the artifact that it is does not exist. */
export const contentOf = Effect.fnUntraced(function* (
  input: DocumentInput,
  { content, path }: TargetFile,
  most: number
) {
  if (typeof content === "string") {
    const { format, mediaType } = formats[content]
    const bytes: Content["bytes"] = Stream.encodeText(documentText(input, format))
    return { mediaType, bytes: within(path, most)(bytes) } satisfies Content
  }
  const found = yield* input.earlier(content.artifact)
  if (Option.isNone(found)) return yield* final(`there is no artifact of the stage ${content.artifact}`)
  const { bytes, mediaType } = found.value
  return { mediaType, bytes: within(path, most)(Stream.make(bytes)) } satisfies Content
})

/** As one segment of a path: letters, digits and a few signs, which does not begin with a dot. */
const segment = (name: string): string => {
  const plain = name
    .normalize("NFC")
    .replaceAll(/[^\p{L}\p{N} ._-]/gu, "_")
    .replace(/^[. ]+/, "_")
    .replace(/[. ]+$/, "")
  const bytes = Buffer.from(plain)
  const cut =
    bytes.length <= 120
      ? plain
      : bytes
          .subarray(0, 120)
          .toString("utf8")
          .replace(/\ufffd+$/, "")
  return cut === "" ? "_" : cut
}

/** The path of a file of this document, relative and of plain segments. */
export const pathOf = (template: string, { document, name, tenant }: StageSubject): string => {
  const values: Readonly<Record<string, string>> = { tenant, id: document, name: segment(name) }
  return template.replaceAll(/\{([a-z]+)\}/g, (_, key: string) => values[key] ?? "")
}

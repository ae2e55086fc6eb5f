import { Effect, Result, Schema, SchemaGetter } from "effect"
import { parseByteSize } from "../../config/ConfigValues.ts"
import { Millis } from "../../downstreams/DownstreamSettings.ts"

// Values in the settings of stages.

/** Bytes, written as a text. */
export const ByteCount = Schema.String.check(
  Schema.makeFilter((text: string) => Result.match(parseByteSize(text), { onFailure: String, onSuccess: () => true }))
).pipe(
  Schema.annotate({ description: "A size such as `200MB` or `1GiB`.", examples: ["64MiB"] }),
  Schema.decodeTo(Schema.Finite, {
    decode: SchemaGetter.transform((text: string) => Result.getOrElse(parseByteSize(text), () => 0)),
    encode: SchemaGetter.transform(String)
  })
)

const explained = <S extends Schema.Top>(schema: S, description: string) => schema.annotateKey({ description })

export const bytes = (text: string, description: string) =>
  explained(ByteCount.pipe(Schema.withDecodingDefaultKey(Effect.succeed(text))), description)

export const millis = (text: string, description: string) =>
  explained(Millis.pipe(Schema.withDecodingDefaultKey(Effect.succeed(text))), description)

export const whole = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

/** A place in a JSON value (RFC 6901): `/choices/0/message/content`; empty for the whole value. */
export const Pointer = Schema.String.check(
  Schema.isPattern(/^(?:\/(?:[^~/]|~[01])*)*$/, { message: "a JSON pointer such as /document/md_content" })
)

/** What values may stand in a template between two pairs of braces. */
export const placeholderNames = [
  "text",
  "markdown",
  "layout",
  "image",
  "imageUrl",
  "file",
  "name",
  "page",
  "pages",
  "id",
  "tenant"
] as const
export type PlaceholderName = (typeof placeholderNames)[number]

const placeholder = /\{\{\s*([^{}]*?)\s*\}\}/g
const artifactName = /^artifact:[a-z][a-z0-9_-]{0,62}$/

/** The names of all placeholders in a template, as they are written. */
export const placeholdersOf = (template: string): ReadonlyArray<string> =>
  [...template.matchAll(placeholder)].map(([, name = ""]) => name)

/** Puts values in the places of the names. */
export const fillTemplate = (template: string, valueOf: (name: string) => string): string =>
  template.replaceAll(placeholder, (_, name: string) => valueOf(name))

const isKnown = (name: string): boolean => placeholderNames.some((known) => known === name) || artifactName.test(name)

/** What may stand in an argument of a command. */
export const argumentNames = ["name", "page", "pages", "id", "tenant", "temporary"] as const

/** An argument in which `{{name}}` stands for a value. */
export const Argument = Schema.String.check(
  Schema.makeFilter((template: string) => {
    const unknown = placeholdersOf(template).find((name) => !argumentNames.some((known) => known === name))
    const known = argumentNames.map((name) => `{{${name}}}`).join(", ")
    return unknown === undefined ? undefined : `{{${unknown}}} is no argument: ${known}; for all else see \`send\``
  })
)

const unknownIn = (template: string): string | undefined => {
  const unknown = placeholdersOf(template).find((name) => !isKnown(name))
  return unknown === undefined
    ? undefined
    : `{{${unknown}}} is not known: ${placeholderNames.map((name) => `{{${name}}}`).join(", ")}, {{artifact:<stage>}}`
}

/** A text in which `{{name}}` stands for a value. */
export const Template = Schema.String.check(Schema.makeFilter(unknownIn))

const textsOf = (value: Schema.Json): ReadonlyArray<string> => {
  if (typeof value === "string") return [value]
  if (typeof value !== "object" || value === null) return []
  return Object.values(value).flatMap(textsOf)
}

/** A JSON value in whose texts `{{name}}` stands for a value. */
export const JsonTemplate = Schema.Json.check(
  Schema.makeFilter((value: Schema.Json) =>
    textsOf(value)
      .map(unknownIn)
      .find((issue) => issue !== undefined)
  )
)

/** All placeholders of a JSON template. */
export const placeholdersOfJson = (value: Schema.Json): ReadonlyArray<string> => textsOf(value).flatMap(placeholdersOf)

/** How pages are drawn for stages that take an image. */
export const ImageSettings = Schema.Struct({
  dpi: whole(36, 600).pipe(Schema.withDecodingDefaultKey(Effect.succeed(200))),
  format: Schema.Literals(["png", "webp"]).pipe(Schema.withDecodingDefaultKey(Effect.succeed("png" as const)))
}).annotate({ description: "How pages are drawn where an image is sent." })
export interface ImageSettings extends Schema.Schema.Type<typeof ImageSettings> {}

/** Files that a source stage takes. All that is given has to hold. */
export const AcceptedFile = Schema.Struct({
  extension: Schema.String.check(
    Schema.isPattern(/^\.[A-Za-z0-9]{1,16}$/, { message: "an extension such as .docx" })
  ).annotate({ description: "The end of the file's name, in large or small letters." }),
  begins: Schema.optionalKey(
    Schema.NonEmptyString.check(
      Schema.isMaxLength(64),
      Schema.makeFilter((text: string) => isLatin1(text) || "characters up to \\u00ff, each for one byte")
    ).annotate({ description: "The first bytes, one character each: `PK\\u0003\\u0004`." })
  ),
  contains: Schema.optionalKey(
    Schema.NonEmptyString.check(Schema.isMaxLength(64), Schema.makeFilter(isLatin1)).annotate({
      description: "Bytes that the file has somewhere: `[Content_Types].xml` is in every Office file of today."
    })
  ),
  isText: Schema.optionalKey(
    Schema.Literal(true).annotate({ description: "The file is UTF-8 without control characters." })
  )
})
export interface AcceptedFile extends Schema.Schema.Type<typeof AcceptedFile> {}

function isLatin1(text: string): boolean {
  return Buffer.from(text, "latin1").toString("latin1") === text
}

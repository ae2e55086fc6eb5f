import { Effect, Result, Schema, SchemaGetter, SchemaIssue } from "effect"

const decoder = new TextDecoder("utf-8", { fatal: true })

/** Headers arrive with one character for each byte. */
const bytesOf = (header: string) => Uint8Array.from(header, (character) => character.charCodeAt(0))

/**
 * Human-readable text in a header: ASCII, or UTF-8 as many programs send it. Other bytes have no agreed meaning. When it is
 * encoded for sending, text beyond ASCII has to be percent-encoded.
 */
export const HeaderText = Schema.String.pipe(
  Schema.decodeTo(Schema.String, {
    decode: SchemaGetter.transformEffect((header: string) => {
      if (/^[\x20-\x7e\t]*$/.test(header)) return Effect.succeed(header)
      const text = Result.try(() => decoder.decode(bytesOf(header)))
      return Result.isSuccess(text)
        ? Effect.succeed(text.success)
        : Effect.fail(
            new SchemaIssue.InvalidValue({ message: "Expected ASCII, percent-encoded where it is not, or UTF-8" })
          )
    }),
    encode: SchemaGetter.passthrough()
  })
)

import * as Flag from "effect/cli/Flag"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** Whether the output is JSON. */
export const Json = GlobalFlag.Setting("json")({
  flag: Flag.Boolean("json").pipe(Flag.withDescription("Print JSON instead of text"), Flag.withDefault(false))
})

export const jsonOf = <A, I>(schema: Schema.Codec<A, I>, value: A) =>
  Effect.orDie(Effect.map(Schema.encodeEffect(Schema.toCodecJson(schema))(value), (encoded) => JSON.stringify(encoded)))

export const printJson = <A, I>(schema: Schema.Codec<A, I>, value: A) =>
  Effect.flatMap(jsonOf(schema, value), Console.log)

/** Prints the value as JSON, or as lines of text for a person. */
export const show = Effect.fnUntraced(function* <A, I>(
  schema: Schema.Codec<A, I>,
  value: A,
  lines: (value: A) => ReadonlyArray<string>
) {
  return yield* (yield* Json) ? printJson(schema, value) : Console.log(lines(value).join("\n"))
})

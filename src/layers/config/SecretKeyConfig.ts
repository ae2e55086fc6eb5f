/** The key that seals passwords, when it is given apart from the data folder: then the folder may be lost. */
import { readFileSync, statSync } from "node:fs"
import { Config, Option, Redacted, Result, Schema } from "effect"
import { keyBytes } from "../../services/secrets/SealedSecrets.ts"

export interface GivenKey {
  readonly key: Redacted.Redacted<Uint8Array>
  /** What the operator has to correct if the key is wrong. */
  readonly place: string
}

const forms = `${keyBytes} random bytes in base64 or as ${2 * keyBytes} hexadecimal digits: openssl rand -base64 ${keyBytes}`

/** Undefined if the text is no key. */
const decode = (text: string): Uint8Array | undefined => {
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, "hex")
  if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(text)) return undefined
  const bytes = Buffer.from(text, "base64url")
  return bytes.length === keyBytes ? bytes : undefined
}

/** The value itself must not get into the message. */
const KeyText = Schema.String.check(Schema.makeFilter((text: string) => decode(text) !== undefined || forms))

/** A file holds the bytes themselves, as `secret.key` of a data folder does, or a text like SECRET_KEY. */
const readKey = (path: string): Result.Result<Uint8Array, string> => {
  const read = Result.try({
    // A pipe is not accepted: reading it could block, and it yields the key only once.
    try: () => (statSync(path).isFile() ? readFileSync(path) : Buffer.alloc(0)),
    catch: (cause) => {
      const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown"
      return `a file with the key; it cannot be read (${code})`
    }
  })
  return Result.flatMap(read, (content) => {
    const key = content.length === keyBytes ? content : decode(content.toString("latin1").trim())
    return key === undefined ? Result.fail(`a file with ${forms}`) : Result.succeed(key)
  })
}

const KeyFile = Schema.String.check(
  Schema.makeFilter((path: string) => Result.match(readKey(path), { onSuccess: () => true, onFailure: (why) => why }))
)

const given = (bytes: Uint8Array | undefined, place: string): GivenKey => ({
  key: Redacted.make(bytes ?? new Uint8Array(keyBytes), { label: "SECRET_KEY" }),
  place
})

const ofText = Config.schema(KeyText, "SECRET_KEY").pipe(Config.map((text) => given(decode(text), "SECRET_KEY")))
const ofFile = Config.schema(KeyFile, "SECRET_KEY_FILE").pipe(
  Config.map((path) => given(Result.getOrUndefined(readKey(path)), `${path} of SECRET_KEY_FILE`))
)

/** Refuses the variable, whatever its value is. */
const oneTooMany = Config.schema(
  Schema.String.check(Schema.makeFilter(() => "only one of SECRET_KEY and SECRET_KEY_FILE")),
  "SECRET_KEY_FILE"
).pipe(Config.map((): GivenKey | undefined => undefined))

/** Undefined if neither variable is set: the key is that of the data folder. */
export const SecretKeyConfig: Config.Config<GivenKey | undefined> = Config.all({
  text: Config.option(ofText),
  file: Config.option(ofFile)
}).pipe(
  Config.flatMap(({ file, text }) =>
    Option.isSome(text) && Option.isSome(file)
      ? oneTooMany
      : Config.succeed(Option.getOrUndefined(Option.orElse(text, () => file)))
  )
)

import { hash } from "node:crypto"
import { readFileSync, statSync } from "node:fs"
import { Config, Option, Redacted, Result, Schema } from "effect"

/** Shorter keys can be guessed. */
const leastAdminKey = 16

const expected = `at least ${leastAdminKey} visible ASCII characters without spaces; take them from a random source`

const isKey = (text: string): boolean => /^[\x21-\x7e]+$/.test(text) && text.length >= leastAdminKey

/** The value itself must not get into the message. */
const AdminKey = Schema.String.check(Schema.makeFilter((text: string) => isKey(text) || expected))

/** Reads the key from a file. A line end at the end of the file is not part of the key. */
const readKey = (path: string): Result.Result<string, string> => {
  const read = Result.try({
    // A pipe is not accepted: reading it could block, and it yields the key only once.
    try: () => (statSync(path).isFile() ? readFileSync(path, "latin1").replace(/\r?\n$/, "") : ""),
    catch: (cause) => {
      const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown"
      return `a file with the key; it cannot be read (${code})`
    }
  })
  return Result.flatMap(read, (text) => (isKey(text) ? Result.succeed(text) : Result.fail(`a file with ${expected}`)))
}

const KeyFile = Schema.String.check(
  Schema.makeFilter((path: string) => Result.match(readKey(path), { onSuccess: () => true, onFailure: (why) => why }))
)

const KeyDigest = Schema.String.check(
  Schema.isPattern(/^[0-9a-f]{64}$/i, {
    message: 'the SHA-256 digest of the key as 64 hexadecimal digits: printf %s "$key" | sha256sum'
  })
)

export const keyDigest = (key: string): Uint8Array => hash("sha256", key, "buffer")

/** Only the digest of the administrator's key is kept. */
const digests = {
  ADMIN_KEY: Config.schema(AdminKey, "ADMIN_KEY").pipe(Config.map(keyDigest)),
  ADMIN_KEY_FILE: Config.schema(KeyFile, "ADMIN_KEY_FILE").pipe(
    Config.map((path) => keyDigest(Result.getOrElse(readKey(path), () => "")))
  ),
  ADMIN_KEY_SHA256: Config.schema(KeyDigest, "ADMIN_KEY_SHA256").pipe(
    Config.map((text): Uint8Array => Buffer.from(text, "hex"))
  )
}

const names = ["ADMIN_KEY", "ADMIN_KEY_FILE", "ADMIN_KEY_SHA256"] as const

/** Refuses the variable, whatever its value is. */
const oneTooMany = (name: string) =>
  Config.schema(Schema.String.check(Schema.makeFilter(() => `only one of ${names.join(", ")}`)), name).pipe(
    Config.map((): Uint8Array | undefined => undefined)
  )

/** The digest of the key, from the one variable of three that is set. */
const adminKey = Config.all({
  ADMIN_KEY: Config.option(digests.ADMIN_KEY),
  ADMIN_KEY_FILE: Config.option(digests.ADMIN_KEY_FILE),
  ADMIN_KEY_SHA256: Config.option(digests.ADMIN_KEY_SHA256)
}).pipe(
  Config.flatMap((given) => {
    const [first, second] = names.filter((name) => Option.isSome(given[name]))
    if (second !== undefined) return oneTooMany(second)
    return Config.succeed(first === undefined ? undefined : Option.getOrUndefined(given[first]))
  }),
  Config.map((digest) => (digest === undefined ? undefined : Redacted.make(digest, { label: "ADMIN_KEY" })))
)

/** Whether callers must authenticate, and the SHA-256 digest of the administrator's key. */
export const AuthConfig = Config.all({
  adminKey,
  mode: Config.Literals(["keys", "off"], "AUTH").pipe(Config.withDefault(undefined))
}).pipe(
  Config.map(({ adminKey, mode }) => ({ adminKey, mode: mode ?? (adminKey === undefined ? "off" : "keys") }) as const)
)
export type AuthConfig = Config.Success<typeof AuthConfig>

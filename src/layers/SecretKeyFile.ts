import { constants, fstat, link, open, read, type Stats, unlink, write } from "node:fs"
import { join, resolve } from "node:path"
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import { Effect, Layer, Redacted, Result, Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import { Secrets } from "../services/secrets/Secrets.ts"
import { keyBytes, makeWithKey } from "../services/secrets/SealedSecrets.ts"
import { call, closeFile, fileMode, makeDirectory, syncDirectory, syncFile } from "./blobs/Files.ts"
import type { GivenKey } from "./config/SecretKeyConfig.ts"
import { checkOf, type KeyRecord } from "./KeyRecord.ts"

/** The key file cannot be used. It is never replaced: what was sealed with it would be lost. */
export class SecretKeyUnusable extends Schema.TaggedError<SecretKeyUnusable>()("SecretKeyUnusable", {
  path: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `the secret key ${this.path} cannot be used: ${this.detail}`
  }
}

export interface SecretsOptions<E = never> {
  readonly directory: string
  /** Used instead of the folder's key. */
  readonly given?: GivenKey | undefined
  /** What the key has to agree with. */
  readonly record?: KeyRecord<E>
}

// Opening a pipe in the key's place would block the start until a process writes to it. Windows has neither flag nor pipe.
const readFlags = constants.O_RDONLY | (process.platform === "win32" ? 0 : constants.O_NONBLOCK)

const readKey = (path: string) =>
  Effect.acquireUseRelease(
    call<number>((done) => open(path, readFlags, done)),
    Effect.fnUntraced(function* (descriptor) {
      const stats = yield* call<Stats>((done) => fstat(descriptor, done))
      const unusable = (detail: string) => new SecretKeyUnusable({ path, detail })
      if (!stats.isFile()) return yield* unusable("it is not a file")
      if (stats.size !== keyBytes) return yield* unusable(`it holds ${stats.size} bytes instead of ${keyBytes}`)
      // Windows keeps its permissions elsewhere and shows a fixed mode.
      if (process.platform !== "win32" && (stats.mode & 0o077) !== 0) {
        return yield* unusable(`others may read it (mode ${(stats.mode & 0o777).toString(8)}); use chmod 600`)
      }
      const key = new Uint8Array(keyBytes)
      const got = yield* call<number>((done) => read(descriptor, key, 0, keyBytes, 0, done))
      return got === keyBytes ? Redacted.make(key) : yield* unusable("it could not be read whole")
    }),
    closeFile
  )

/** The key gets its name when it is complete and durable; of several processes that start at once, one wins. */
const createKey = Effect.fnUntraced(function* (directory: string, path: string) {
  const random = yield* SecureRandom.SecureRandom
  const temporary = `${path}.${Buffer.from(yield* random.randomBytes(12)).toString("hex")}`
  const key = yield* random.randomBytes(keyBytes)
  yield* Effect.acquireUseRelease(
    call<number>((done) => open(temporary, "wx", fileMode, done)),
    Effect.fnUntraced(function* (descriptor) {
      yield* call<number>((done) => write(descriptor, key, done))
      yield* syncFile(descriptor)
      yield* call((done) => link(temporary, path, (error) => done(error?.code === "EEXIST" ? null : error)))
    }),
    (descriptor) =>
      Effect.andThen(closeFile(descriptor), Effect.ignore(call((done) => unlink(temporary, (error) => done(error)))))
  )
  yield* syncDirectory(directory)
})

interface LoadedKey {
  readonly key: Redacted.Redacted<Uint8Array>
  readonly place: string
}

const toUnusable = (path: string) =>
  Effect.mapError((error: SecretKeyUnusable | NodeJS.ErrnoException) =>
    error instanceof SecretKeyUnusable ? error : new SecretKeyUnusable({ path, detail: error.code ?? error.name })
  )

const isMissing = (error: SecretKeyUnusable | NodeJS.ErrnoException) =>
  !(error instanceof SecretKeyUnusable) && error.code === "ENOENT"

const wayOut =
  "To go on without it, run `sluice storage adopt`: what the other key sealed (passwords of documents that wait, secrets of " +
  "webhooks) cannot be read any more"

/** The key of the folder. It is made only if nothing was sealed with another one. */
const loadKey = Effect.fnUntraced(function* (
  folder: string,
  isNew: boolean
): Effect.fn.Return<LoadedKey, SecretKeyUnusable, SecureRandom.SecureRandom> {
  const directory = resolve(folder)
  const path = join(directory, "secret.key")
  const create = isNew
    ? makeDirectory(directory).pipe(Effect.andThen(createKey(directory, path)), Effect.andThen(readKey(path)))
    : Effect.fail(
        new SecretKeyUnusable({
          path,
          detail: `it is missing, and the database was sealed with it. Put it back, or give the key in SECRET_KEY_FILE. ${wayOut}`
        })
      )
  const key = yield* readKey(path).pipe(
    Effect.catchIf(isMissing, () => create),
    toUnusable(path)
  )
  return { key, place: path }
})

/** Fails unless the key is the one that the database was sealed with. The first key that comes is entered. */
const compare = Effect.fnUntraced(function* <E>(
  { place }: LoadedKey,
  secrets: Secrets["Service"],
  known: string | undefined,
  record: KeyRecord<E>
) {
  const refuse = new SecretKeyUnusable({
    path: place,
    detail: `the database was sealed with another key. All servers over one database need the same one. ${wayOut}`
  })
  const check = yield* checkOf(secrets)
  if (known === undefined) {
    const sealed = yield* record.sample
    if (sealed !== undefined && Result.isFailure(yield* Effect.result(secrets.open(sealed)))) return yield* refuse
  }
  const kept = known ?? (yield* record.enter(check))
  if (kept !== check) return yield* refuse
})

const make = Effect.fnUntraced(function* <E>({ directory, given, record }: SecretsOptions<E>) {
  const known = record === undefined ? undefined : yield* record.known
  const loaded: LoadedKey = given ?? (yield* loadKey(directory, known === undefined))
  const secrets = yield* makeWithKey(loaded.key)
  if (record !== undefined) yield* compare(loaded, secrets, known, record)
  return secrets
})

// HMAC of `node:crypto` is synchronous: it takes less time than the one of WebCrypto, and each request with an idempotency key
// needs it.
const crypto = Layer.mergeAll(NodeCrypto.layerAead, NodeCrypto.layerMac, NodeCrypto.layerSecureRandom)

/**
 * Under the given key, or else the one in `<directory>/secret.key`, which is made at the first start. Losing the key loses what
 * it sealed.
 */
export const layer = <E = never>(options: SecretsOptions<E>): Layer.Layer<Secrets, SecretKeyUnusable | E> =>
  Layer.effect(Secrets, make(options)).pipe(Layer.provide(crypto))

import { existsSync } from "node:fs"
import { join } from "node:path"
import { Context, Effect, Layer, type Redacted } from "effect"
import type { GivenKey } from "../../layers/config/SecretKeyConfig.ts"
import { databasePath } from "../../layers/folder/FolderCheck.ts"
import { checkOf } from "../../layers/KeyRecord.ts"
import { examine } from "../../layers/postgres/database/Connection.ts"
import * as SecretKeyFile from "../../layers/SecretKeyFile.ts"
import { Secrets } from "../../services/Secrets.ts"
import { fail, ok, warn } from "./Finding.ts"

const name = "secret key"

interface Settings {
  readonly directory: string
  readonly given: GivenKey | undefined
  readonly url: Redacted.Redacted | undefined
}

const putBack =
  "Put the key back from a backup, or name it in SECRET_KEY_FILE; to go on without it, run sluice storage adopt."

const keyCheck = Effect.fnUntraced(function* ({ directory, given }: Settings) {
  const built = yield* Layer.build(SecretKeyFile.layer({ directory, given }))
  return yield* checkOf(Context.get(built, Secrets))
}, Effect.scoped)

/** Checks that the key which opens passwords is there, and is the one that the database was sealed with. Makes none. */
export const checkSecretKey = Effect.fnUntraced(
  function* (settings: Settings) {
    const { directory, given, url } = settings
    const file = join(directory, "secret.key")
    const place = given?.place ?? file
    const sealed =
      url === undefined
        ? undefined
        : yield* Effect.match(examine({ url, name: "sluice doctor" }), {
            onSuccess: ({ keyCheck }) => keyCheck,
            onFailure: () => undefined
          })
    if (given === undefined && !existsSync(file)) {
      const isNew = url === undefined ? !existsSync(databasePath(directory)) : sealed === undefined
      if (!isNew) return fail(name, `${file} is missing, and what is sealed cannot be opened without it`, putBack)
      return url === undefined
        ? ok(name, `none yet: the first start makes ${file}`)
        : warn(
            name,
            `none yet: the first start makes ${file}, which all machines then need`,
            "Better give all of them one: SECRET_KEY_FILE (openssl rand -base64 32)."
          )
    }
    const check = yield* keyCheck(settings)
    if (sealed !== undefined && sealed !== check)
      return fail(name, `${place} is not the key that the database was sealed with`, putBack)
    return ok(name, sealed === undefined ? `${place}` : `${place} is the one of the database`)
  },
  Effect.catch((error) => Effect.succeed(fail(name, error.message, putBack)))
)

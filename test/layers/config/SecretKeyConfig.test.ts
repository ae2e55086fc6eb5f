import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Redacted } from "effect"
import { SecretKeyConfig } from "../../../src/layers/config/SecretKeyConfig.ts"

const bytes = Uint8Array.from({ length: 32 }, (_, index) => 200 + index)
const hex = Buffer.from(bytes).toString("hex")
const base64 = Buffer.from(bytes).toString("base64")

const read = (env: Record<string, string>) =>
  Effect.provide(
    Effect.gen(function* () {
      return yield* SecretKeyConfig
    }),
    ConfigProvider.layer(ConfigProvider.fromEnv({ env }))
  )

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "sluice-key-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

describe("The key that is given", () => {
  it.effect("is read from a variable or a file, as text or as its bytes", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      const file = (name: string, content: string | Uint8Array) => {
        writeFileSync(join(directory, name), content)
        return { SECRET_KEY_FILE: join(directory, name) }
      }
      assert.isUndefined(yield* read({}))
      for (const env of [
        { SECRET_KEY: hex },
        { SECRET_KEY: base64 },
        { SECRET_KEY: Buffer.from(bytes).toString("base64url") },
        file("bytes", bytes),
        file("hex", `${hex}\n`),
        file("base64", `${base64}\r\n`)
      ]) {
        const given = yield* read(env)
        assert.deepStrictEqual(
          Buffer.from(Redacted.value(given?.key ?? Redacted.make(new Uint8Array()))),
          Buffer.from(bytes)
        )
        assert.notInclude(JSON.stringify(given), base64)
      }
    })
  )

  it.effect("is refused with what it has to be, and is never repeated", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      writeFileSync(join(directory, "short"), "hunter2")
      for (const [env, told] of [
        [{ SECRET_KEY: "hunter2" }, "openssl rand -base64 32"],
        [{ SECRET_KEY: base64.slice(2) }, "32 random bytes"],
        [{ SECRET_KEY_FILE: join(directory, "short") }, "a file with 32 random bytes"],
        [{ SECRET_KEY_FILE: join(directory, "none") }, "ENOENT"],
        [{ SECRET_KEY_FILE: directory }, "a file with"],
        [{ SECRET_KEY: hex, SECRET_KEY_FILE: join(directory, "short") }, "a file with"]
      ] as const) {
        const { message } = yield* Effect.flip(read(env))
        assert.include(message, told)
        for (const secret of ["hunter2", hex, base64.slice(2)]) assert.notInclude(message, secret)
      }
      writeFileSync(join(directory, "key"), bytes)
      const both = yield* Effect.flip(read({ SECRET_KEY: hex, SECRET_KEY_FILE: join(directory, "key") }))
      assert.include(both.message, "only one of SECRET_KEY and SECRET_KEY_FILE")
    })
  )
})

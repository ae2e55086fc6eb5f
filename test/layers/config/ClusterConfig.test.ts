import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Redacted } from "effect"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { clusterSettings } from "../../../src/layers/config/ClusterConfig.ts"
import { temporaryFolder } from "../../support/service.ts"

const settingsOf = (env: Record<string, string>) =>
  Effect.provide(clusterSettings, ConfigProvider.layer(ConfigProvider.fromUnknown(env)))
const refusalOf = (env: Record<string, string>) => Effect.map(Effect.flip(settingsOf(env)), ({ message }) => message)

const database = { CLUSTER: "on", DATABASE_URL: "postgres://sluice@localhost/sluice" }
const token = "0123456789abcdef0123456789abcdef"

describe("the settings of a cluster", () => {
  it.effect("are none unless it is turned on, and then a port of the loopback", () =>
    Effect.gen(function* () {
      assert.isUndefined(yield* settingsOf({ DATABASE_URL: database.DATABASE_URL, CLUSTER_TOKEN: token }))
      const settings = yield* settingsOf({ ...database, CLUSTER_TOKEN: token })
      assert.deepStrictEqual(settings?.address, { host: "127.0.0.1", port: 34_431 })
      assert.deepStrictEqual([settings?.listenHost, settings?.shards, settings?.role], ["127.0.0.1", 96, "all"])
    })
  )

  it.effect("take the token from a file, and the address to listen at from a variable of its own", () =>
    Effect.gen(function* () {
      const file = join(yield* temporaryFolder, "token")
      writeFileSync(file, `${token}\n`)
      const more = {
        CLUSTER_TOKEN_FILE: file,
        CLUSTER_HOST: "10.0.0.7",
        CLUSTER_LISTEN_HOST: "0.0.0.0",
        ROLE: "runner"
      }
      const settings = yield* settingsOf({ ...database, ...more })
      assert.strictEqual(settings === undefined ? "" : Redacted.value(settings.token), token)
      assert.deepStrictEqual(
        [settings?.address.host, settings?.listenHost, settings?.role],
        ["10.0.0.7", "0.0.0.0", "runner"]
      )
    })
  )

  it.effect("are refused with what to do when something is missing", () =>
    Effect.gen(function* () {
      assert.include(yield* refusalOf({ CLUSTER: "on", CLUSTER_TOKEN: token }), "set DATABASE_URL")
      assert.include(yield* refusalOf(database), "set CLUSTER_TOKEN or CLUSTER_TOKEN_FILE")
      assert.include(yield* refusalOf({ ...database, CLUSTER_TOKEN: "short" }), "at least 32 characters")
      assert.include(yield* refusalOf({ ...database, CLUSTER_TOKEN_FILE: "/nowhere" }), "does not exist")
      assert.include(yield* refusalOf({ ROLE: "api" }), "set CLUSTER=on")
      const long = { ...database, CLUSTER_TOKEN: token, CLUSTER_SHARDS: "1665" }
      assert.include(yield* refusalOf(long), "CLUSTER_SHARDS")
    })
  )
})

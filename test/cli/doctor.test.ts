import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect } from "effect"
import { createServer } from "node:net"
import { join } from "node:path"
import { readdirSync } from "node:fs"
import { checkMemory, checkNode, checkSettings } from "../../src/cli/doctor/Checks.ts"
import { judgeDisk } from "../../src/cli/doctor/Storage.ts"
import { holdDataDirectory } from "../../src/layers/folder/DataDirectory.ts"
import { temporaryFolder } from "../support/service.ts"
import { sluice } from "./harness.ts"

const mib = 1024 * 1024

/** A port of the loopback that somebody listens on. */
const takenPort = Effect.acquireRelease(
  Effect.callback<{ readonly port: number; readonly close: () => void }>((resume) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      resume(Effect.succeed({ port, close: () => server.close() }))
    })
  }),
  ({ close }) => Effect.sync(close)
)

describe("doctor", () => {
  it.live("finds that a server can work here: a page worker reads, files reach the disk", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const { code, err, out } = yield* sluice(["doctor"], {
        DATA_DIR: join(folder, "data"),
        PORT: "0",
        PAGE_WORKERS: "1"
      })
      assert.strictEqual(code, 0, err + out)
      assert.match(out, /^ok {4}page worker {2}one started and read a page in \d+ ms$/m)
      assert.match(out, /^ok {4}data folder {2}.* can be written; fsync takes [\d.]+ ms$/m)
      assert.deepStrictEqual(readdirSync(folder), [])
    })
  )

  it.live("says what is in the way, and ends with 1", () =>
    Effect.gen(function* () {
      const { port } = yield* takenPort
      const env = { DATA_DIR: "/dev/null/data", PORT: String(port), PAGE_WORKERS: "none" }
      const { code, out } = yield* sluice(["doctor", "--json"], env)
      assert.strictEqual(code, 1)
      const { findings } = JSON.parse(out)
      const states = Object.fromEntries(
        findings.map(({ name, state }: { name: string; state: string }) => [name, state])
      )
      assert.deepInclude(states, { node: "ok", settings: "fail", "data folder": "fail", port: "fail" })
      const told = JSON.stringify(findings)
      for (const part of ["PAGE_WORKERS", "DATA_DIR", `127.0.0.1:${port} is taken`]) assert.include(told, part)
    })
  )

  it.live("says that a data folder is in use as long as a server works in it, and changes nothing there", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const dataFolder = Effect.map(sluice(["doctor", "--json"], { DATA_DIR: folder, PORT: "0" }), ({ code, out }) => ({
        code,
        found: JSON.parse(out).findings.find(({ name }: { name: string }) => name === "data folder")
      }))
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* holdDataDirectory(folder)
          const { code, found } = yield* dataFolder
          assert.strictEqual(code, 1)
          assert.strictEqual(found.state, "fail")
          assert.include(found.detail, `${folder} is in use`)
          // It does not take the lock away from the server.
          const second = yield* Effect.flip(Effect.scoped(holdDataDirectory(folder)))
          assert.include(second.message, "another Sluice works in it")
        })
      )
      assert.deepStrictEqual(readdirSync(folder), ["lock"])
      assert.strictEqual((yield* dataFolder).found.state, "ok")
      assert.deepStrictEqual(readdirSync(folder), ["lock"])
    })
  )

  it.live("refuses every setting with which a server would not start", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      for (const [name, value] of [
        ["METRICS_TOKEN", "short"],
        ["WEBHOOK_DISABLE_AFTER", "soon"],
        ["TRACE_LIMIT", "foo"],
        ["LOG_LEVEL", "loud"],
        ["TRUSTED_PROXIES", "foo"],
        ["TENANT_LIMITS", "none"],
        ["ADMIN_KEY", "short"],
        ["QUEUE_TTL", "soon"],
        ["SECRET_KEY", "short"],
        ["SECRET_KEY_FILE", "/nowhere"],
        ["ALLOW_PRIVATE_SOURCES", "http://minio"],
        ["ALLOW_PRIVATE_WEBHOOKS", "10.0.0.1/8"]
      ] as const) {
        const env = { DATA_DIR: folder, [name]: value }
        const found = yield* checkSettings.pipe(Effect.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env }))))
        assert.strictEqual(found.state, "fail", name)
        assert.include(JSON.stringify(found), name)
      }
    })
  )

  it("judges versions, memory and disks", () => {
    assert.deepStrictEqual(
      ["20.11.1", "22.18.0", "22.19.0", "24.0.0"].map((version) => checkNode(version).state),
      ["fail", "fail", "ok", "ok"]
    )
    assert.strictEqual(checkMemory(16_000 * mib, 8_000 * mib, 2, 1000 * mib).state, "ok")
    assert.strictEqual(checkMemory(2_000 * mib, 1_000 * mib, 2, 1000 * mib).state, "warn")
    assert.strictEqual(checkMemory(512 * mib, 100 * mib, 2, 1000 * mib).state, "fail")
    assert.deepStrictEqual(
      [100 * mib, 2_000 * mib, 20_000 * mib].map((free) => judgeDisk(free).state),
      ["fail", "warn", "ok"]
    )
  })
})

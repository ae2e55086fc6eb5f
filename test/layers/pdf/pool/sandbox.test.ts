import { assert, describe, it } from "@effect/vitest"
import { vi } from "vitest"
import { Effect } from "effect"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { getCompileCacheDir } from "node:module"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import type { PdfEngineOptions } from "../../../../src/layers/pdf/PdfEngine.ts"
import { requireAll } from "../../../../src/layers/pdf/pool/Sandbox.ts"
import { describeWalls, PdfEngine } from "../../../../src/services/PdfEngine.ts"
import { manyPages } from "../../../support/pdf.ts"
import { engineWith, inMemory, pdfOf, read } from "../engine.ts"

const workerUrl = new URL("../../../../src/layers/pdf/worker/Worker.ts", import.meta.url)
const secret = "the-administrators-own-key"

/** A data folder like that of a server, and what else a hostile worker would look for. */
const prepare = Effect.gen(function* () {
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "sluice-hostile-"))),
    (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
  )
  const blobs = join(folder, "blobs")
  mkdirSync(blobs)
  for (const name of ["secret.key", "sluice.db", "blobs/blob", "library.node"]) writeFileSync(join(folder, name), name)
  // The environment is read from the process, not through a setting. The files that are tested after this one share the process.
  yield* Effect.acquireRelease(
    Effect.sync(() => vi.stubEnv("ADMIN_KEY", secret)),
    () => Effect.sync(() => vi.unstubAllEnvs())
  )
  const planted = join(getCompileCacheDir() ?? folder, "hostile")
  yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(planted, { force: true })))
  const port = yield* Effect.acquireRelease(
    Effect.callback<ReturnType<typeof createServer>>((resume) => {
      const server = createServer((socket) => socket.destroy())
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.sync(() => server.close())
  ).pipe(Effect.map((server) => Reflect.get(Object(server.address()), "port")))
  const stat = readFileSync("/proc/self/stat", "latin1")
  const targets = {
    secret,
    read: {
      "the engine's environment": `/proc/${process.pid}/environ`,
      "the key": join(folder, "secret.key"),
      "the database": join(folder, "sluice.db"),
      "a blob": join(blobs, "blob"),
      "another file": "/etc/passwd"
    },
    folder: blobs,
    write: {
      "a file": join(folder, "hostile"),
      "the key": join(folder, "secret.key"),
      "compiled code": planted
    },
    addon: join(folder, "library.node"),
    port,
    enginePid: process.pid,
    engineGroup: Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[2])
  }
  return { folder, targets }
})

/** What the hostile worker says at its end. */
const attackWith = Effect.fnUntraced(function* (
  options: Partial<PdfEngineOptions>,
  extra: Record<string, string> = {}
) {
  const { folder, targets } = yield* prepare
  const entry = join(folder, "hostile.mjs")
  const constants = { targets: { ...targets, read: { ...targets.read, ...extra } }, workerUrl: workerUrl.href }
  const lines = Object.entries(constants).map(([name, value]) => `const ${name} = ${JSON.stringify(value)}`)
  const attacks = readFileSync(new URL("./hostileEntry.mjs", import.meta.url), "utf8")
  writeFileSync(entry, `${lines.join("\n")}\n${attacks}`)
  return yield* Effect.gen(function* () {
    const engine = yield* PdfEngine
    const { reason } = yield* Effect.flip(read(pdfOf("hostile", inMemory(manyPages(1))), [1]))
    assert.strictEqual(reason._tag, "WorkerDied", reason.message)
    const { walls = [] } = yield* engine.status
    return { said: reason.message, standing: walls.filter(({ stands }) => stands).map(({ name }) => name) }
  }).pipe(Effect.provide(engineWith({ workers: 1, entry: pathToFileURL(entry), ...options })))
})

describe.skipIf(process.platform !== "linux")("Code in a page worker that fell into foreign hands", () => {
  it.live("comes to nothing behind the walls", () =>
    Effect.gen(function* () {
      const memory = { "the engine's memory": `/proc/${process.pid}/mem` }
      const { said, standing } = yield* attackWith({}, memory)
      const open = [
        ...(standing.includes("network") ? [] : ["connect to the network"]),
        ...(standing.includes("signals") ? [] : ["signal the engine", "signal the engine's group"])
      ]
      assert.include(standing, "files")
      assert.include(said, `error: came off: ${open.join()}.`)
    }).pipe(Effect.scoped)
  )

  it.live("does what it likes without them, so the attacks are attacks; only the environment is never there", () =>
    Effect.gen(function* () {
      const { said, standing } = yield* attackWith({ sandbox: "off" })
      assert.deepStrictEqual(standing, [])
      assert.include(said, "error: failed: read the environment.")
    }).pipe(Effect.scoped)
  )
})

it.effect("Where all walls are required, one that is missing is named, and why", () =>
  Effect.gen(function* () {
    const files = { name: "files", stands: true } as const
    const network = { name: "network", stands: false, detail: "unshare failed: Operation not permitted" } as const
    const sandbox = { hasPermissions: true, canDrop: true, namespaces: [] }
    yield* requireAll({ ...sandbox, walls: [files] })
    const { message } = yield* Effect.flip(requireAll({ ...sandbox, walls: [files, network] }))
    assert.include(message, "network (unshare failed: Operation not permitted)")
    assert.include(message, "SANDBOX=auto")
    assert.strictEqual(
      describeWalls([files, network]),
      "walled off from files; not from network (unshare failed: Operation not permitted)"
    )
  })
)

// The Node that is installed beside the packages comes from npm packages: what is installed is what the lock file names.
import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))
const read = (path: string) => JSON.parse(readFileSync(join(root, path), "utf8"))

/** What else is optional is data and code for any machine. */
const optionalDependencies: Record<string, string> = Object.fromEntries(
  Object.entries<string>(read("package.json").optionalDependencies).filter(([name]) => name.startsWith("node-"))
)
const { packages } = read("package-lock.json")
// What npm itself wrote down of what it installed.
const installed = read("node_modules/.package-lock.json").packages

describe("The bundled Node", () => {
  for (const name of Object.keys(optionalDependencies)) {
    const folder = `node_modules/${name}`

    it(`is pinned by version and by the hash of its package: ${name}`, () => {
      assert.match(optionalDependencies[name] ?? "", /^\d+\.\d+\.\d+$/)
      assert.strictEqual(packages[folder].version, optionalDependencies[name])
      assert.match(packages[folder].integrity, /^sha512-[\w+/]{86}==$/)
      // It is unpacked, and runs nothing.
      assert.notProperty(packages[folder], "hasInstallScript")
    })

    it.skipIf(!existsSync(join(root, folder)))(
      `is installed as pinned, and says that it is that version: ${name}`,
      () => {
        const manifest = read(`${folder}/package.json`)
        assert.strictEqual(manifest.version, packages[folder].version)
        assert.strictEqual(installed[folder].integrity, packages[folder].integrity)
        assert.notProperty(manifest, "scripts")
        const { stdout } = spawnSync(join(root, folder, manifest.bin.node), ["--version"], { encoding: "utf8" })
        assert.strictEqual(stdout.trim(), `v${manifest.version}`)
      }
    )
  }

  it("is installed here, or this machine has none in the registry", () => {
    const known = ["linux-x64", "linux-arm64", "darwin-x64", "win32-x64"].includes(
      `${process.platform}-${process.arch}`
    )
    const found = Object.keys(optionalDependencies).filter((name) => existsSync(join(root, "node_modules", name)))
    assert.strictEqual(found.length, known ? 1 : 0)
  })
})

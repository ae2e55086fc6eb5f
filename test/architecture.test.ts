import { readdirSync, readFileSync } from "node:fs"
import { join, sep } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { complaints, type Exemption, importsOf, medianLines, nodeModulesOf } from "./support/architecture.ts"

const root = fileURLToPath(new URL("../src", import.meta.url))
const sources = new Map(
  readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .map((path) => [path.split(sep).join("/"), readFileSync(join(root, path), "utf8")])
)

/** Uses of forbidden text that have a reason. */
const exemptions: ReadonlyArray<Exemption> = [
  { file: "cli/serve/Supervisor.ts", text: "process.env", reason: "runners get the environment of their supervisor" }
]

describe("the architecture", () => {
  it("lets imports point one way, without cycles, and keeps files small and the world outside", () => {
    assert.isAbove(sources.size, 10)
    assert.deepStrictEqual(complaints(sources, exemptions), [])
  })

  it("lets the client work in a browser: it and the interface it is typed by load nothing of Node", () => {
    assert.deepStrictEqual(nodeModulesOf(sources, "client.ts"), [])
    assert.deepStrictEqual(nodeModulesOf(sources, "http/Api.ts"), [])
    const known = new Map([
      ["a.ts", `import type { X } from "./c.ts"\nimport { b } from "./b.ts"`],
      ["b.ts", `import {\n  isIP\n} from "node:net"\nimport "./a.ts"`],
      ["c.ts", `import "node:fs"`]
    ])
    assert.deepStrictEqual(nodeModulesOf(known, "a.ts"), ["b.ts loads node:net"])
  })

  it("is tested by files that set no variable of the process they share", () => {
    const tests = readdirSync(import.meta.dirname, { recursive: true, encoding: "utf8" }).filter((path) =>
      path.endsWith(".ts")
    )
    assert.isAbove(tests.length, 100)
    const sets = /process\.env(\.\w+|\[[^\]]+\])\s*=[^=]/
    const variable = `process.env["KEY"]`
    assert.match(`${variable} = "secret"`, sets)
    assert.deepStrictEqual(
      tests.filter((path) => sets.test(readFileSync(join(import.meta.dirname, path), "utf8"))),
      []
    )
  })

  it(`keeps the median file small (${medianLines(sources)} lines in ${sources.size} files)`, () => {
    assert.isAtMost(medianLines(sources), 120)
  })
})

/** What is said of one file that has this source, among some others that are fine. */
const complaintsOf = (path: string, source: string) => {
  const others = ["domain/Page.ts", "services/Store.ts", "actors/Ingestion.ts", "actors/Tenant.ts", "layers/App.ts"]
  return complaints(new Map([...others.map((other) => [other, ""] as const), [path, source]]))
}

describe("the architecture check", () => {
  it("follows imports of every form, and none in comments", () => {
    const source = `
      import { a } from "./A.ts"
      import type { B } from "../domain/B.ts"
      import "../domain/C.ts"
      export * from "./D.ts"
      // import { e } from "./E.ts"
      /* export { f } from "./F.ts" */
      const site = "https://example.org" // from "./G.ts"
      const lazy = () => import("./H.ts")
      const worker = new URL("./I.ts", import.meta.url)
      import {
        Effect
      } from "effect"
    `
    assert.deepStrictEqual(importsOf("services/X.ts", source), [
      "services/A.ts",
      "domain/B.ts",
      "domain/C.ts",
      "services/D.ts",
      "services/H.ts",
      "services/I.ts"
    ])
  })

  it("accepts imports that point inwards", () => {
    assert.deepStrictEqual(complaintsOf("services/X.ts", `import "../domain/Page.ts"`), [])
    assert.deepStrictEqual(complaintsOf("http/X.ts", `import "../actors/Ingestion.ts"`), [])
    assert.deepStrictEqual(complaintsOf("layers/X.ts", `import "../actors/Tenant.ts"`), [])
    assert.deepStrictEqual(complaintsOf("main.ts", `import "./layers/App.ts"`), [])
  })

  for (const [path, source, said] of [
    ["domain/X.ts", `import type { S } from "../services/Store.ts"`, "against the direction"],
    ["services/X.ts", `import { I } from "../actors/Ingestion.ts"`, "against the direction"],
    ["actors/X.ts", `export * from "../layers/App.ts"`, "against the direction"],
    ["http/X.ts", `const app = import("../layers/App.ts")`, "against the direction"],
    ["http/X.ts", `import { T } from "../actors/Tenant.ts"`, "the behaviour of an actor"],
    ["services/X.ts", `import pkg from "../../package.json"`, "against the direction"],
    ["layers/X.ts", `import "../main.ts"`, "the entry file"],
    ["helpers/X.ts", `import "../domain/Page.ts"`, "no known folder"],
    ["domain/X.ts", `import "./X.ts"`, "import cycle: domain/X.ts -> domain/X.ts"],
    ["layers/X.ts", `const home = process.env["HOME"]`, "process.env instead of Config"],
    ["actors/X.ts", `const now = Date.now()`, "Date.now instead of Clock"],
    ["services/X.ts", `const chance = Math.random()`, "Math.random instead of"],
    ["domain/X.ts", "const a = 1\n".repeat(401), "401 lines"]
  ] as const) {
    it(`complains about ${path} with ${source.split("\n")[0]}`, () => {
      const found = complaintsOf(path, source)
      assert.strictEqual(found.length, 1, found.join("\n"))
      assert.include(found[0], said)
    })
  }

  it("complains about a folder of more than 15 files", () => {
    const files = Array.from({ length: 16 }, (_, index) => [`actors/gates/File${index}.ts`, ""] as const)
    assert.deepStrictEqual(complaints(new Map(files.slice(1))), [])
    assert.deepStrictEqual(complaints(new Map(files)), ["actors/gates holds 16 files"])
  })

  it("finds a cycle through several files, once", () => {
    const found = complaints(
      new Map([
        ["domain/B.ts", `import "./C.ts"`],
        ["domain/A.ts", `import "./B.ts"`],
        ["domain/C.ts", `import "./A.ts"; import "./D.ts"`],
        ["domain/D.ts", ""]
      ])
    )
    assert.deepStrictEqual(found, ["import cycle: domain/A.ts -> domain/B.ts -> domain/C.ts -> domain/A.ts"])
  })

  it("lets an exemption pass, and complains about one that is no longer needed", () => {
    const exemption = { file: "layers/X.ts", text: "Date.now(", reason: "a callback of a foreign library" }
    assert.deepStrictEqual(complaints(new Map([["layers/X.ts", "Date.now()"]]), [exemption]), [])
    assert.strictEqual(complaints(new Map([["layers/X.ts", ""]]), [exemption]).length, 1)
  })
})

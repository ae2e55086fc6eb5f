import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { deployFolder, manifests, readText, readYaml } from "./manifests.ts"

/** Variables of the tables of settings: the first column of a row, between backticks. */
const documented = new Set(
  ["README.md", "docs/originals.md", "docs/postgres.md", "docs/cluster.md"].flatMap((page) =>
    readText(page)
      .split("\n")
      .filter((line) => line.startsWith("| `"))
      .flatMap((line) => [...(line.split("|")[1] ?? "").matchAll(/`([A-Z][A-Z0-9_]+)`/g)].map(([, name = ""]) => name))
  )
)
/** Of Node, and not of the service. */
const others = new Set(["NODE_ENV"])

const Environment = Schema.Struct({
  environment: Schema.optionalKey(Schema.Record(Schema.String, Schema.Unknown)),
  image: Schema.String,
  entrypoint: Schema.optionalKey(Schema.Array(Schema.String)),
  stop_grace_period: Schema.optionalKey(Schema.String)
})
const decodeCompose = Schema.decodeUnknownSync(Schema.Struct({ services: Schema.Record(Schema.String, Environment) }))

const servicesOf = (file: string) =>
  Object.entries(decodeCompose(readYaml(`deploy/${file}`)).services).filter(([, { image }]) => image === "sluice")

const exported = (entrypoint: ReadonlyArray<string>) =>
  [...entrypoint.join("\n").matchAll(/(?:export|" )\s*([A-Z_0-9]+)=/g)].map(([, name = ""]) => name)

const namesIn = (value: unknown): ReadonlyArray<string> => {
  if (Array.isArray(value)) return value.flatMap(namesIn)
  if (typeof value !== "object" || value === null) return []
  const own = "env" in value && Array.isArray(value.env) ? value.env : []
  return [
    ...own.flatMap((each: unknown) =>
      typeof each === "object" && each !== null && "name" in each && typeof each.name === "string" ? [each.name] : []
    ),
    ...Object.values(value).flatMap(namesIn)
  ]
}

describe("Settings in the files for deployment", () => {
  it.each(["compose.yaml", "compose.cluster.yaml"])("are known, in %s", (file) => {
    const services = servicesOf(file)
    assert.isAbove(services.length, 0)
    const names = services.flatMap(([, { entrypoint = [], environment = {} }]) => [
      ...Object.keys(environment),
      ...exported(entrypoint)
    ])
    assert.deepStrictEqual(
      names.filter((name) => !documented.has(name) && !others.has(name)),
      []
    )
  })

  it("are known, in the manifests for Kubernetes", () => {
    const config = manifests.get("config.yaml")?.["data"]
    const names = [...Object.keys(Object(config)), ...[...manifests.values()].flatMap(namesIn)]
    assert.include(names, "ROLE")
    assert.deepStrictEqual(
      names.filter((name) => !documented.has(name)),
      []
    )
  })

  it("give a container longer to stop than the service takes", () => {
    for (const [, { environment = {}, stop_grace_period }] of servicesOf("compose.cluster.yaml")) {
      assert.deepStrictEqual([environment["SHUTDOWN_GRACE"], stop_grace_period], ["20 seconds", "30s"])
    }
  })
})

describe("The profile of system calls", () => {
  it("is the one that was given, with one more rule, which docs/security.md shows", () => {
    const folder = mkdtempSync(join(tmpdir(), "sluice-profile-"))
    try {
      const path = join(folder, "default.json")
      const profile = { defaultAction: "SCMP_ACT_ERRNO", syscalls: [{ names: ["read"], action: "SCMP_ACT_ALLOW" }] }
      writeFileSync(path, JSON.stringify(profile))
      const made = spawnSync(process.execPath, [join(deployFolder, "seccomp.js"), path], { encoding: "utf8" })
      const [, shown = ""] =
        /```json\n\s*(\{ "names": \["unshare"\].*?)\n\s*```/s.exec(readText("docs/security.md")) ?? []
      assert.deepStrictEqual(JSON.parse(made.stdout), {
        ...profile,
        syscalls: [...profile.syscalls, JSON.parse(shown)]
      })
      writeFileSync(path, "{}")
      assert.strictEqual(spawnSync(process.execPath, [join(deployFolder, "seccomp.js"), path]).status, 1)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})

// The files in `deploy` as values, and a check of Kubernetes' own kinds against their types.
import { spawnSync } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Schema } from "effect"
import { Yaml } from "effect/encoding"

const root = fileURLToPath(new URL("../../", import.meta.url))
export const deployFolder = join(root, "deploy")
export const manifestFolder = join(deployFolder, "kubernetes")

export const readText = (path: string): string => readFileSync(join(root, path), "utf8")
export const readYaml = (path: string): unknown => Yaml.parse(readText(path))

export const Manifest = Schema.StructWithRest(Schema.Struct({ apiVersion: Schema.String, kind: Schema.String }), [
  Schema.Record(Schema.String, Schema.Unknown)
])
export type Manifest = typeof Manifest.Type

/** Each file holds one object. By its path below the folder of the manifests. */
export const manifests: ReadonlyMap<string, Manifest> = new Map(
  readdirSync(manifestFolder, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".yaml"))
    .toSorted()
    .map((path) => [path, Schema.decodeUnknownSync(Manifest)(readYaml(`deploy/kubernetes/${path}`))])
)

/** Where the types of a version are: `apps/v1` for `apps/v1`, `core/v1` for `v1`, `networking/v1` for `networking.k8s.io/v1`. */
const moduleOf = (apiVersion: string) => {
  const [group = "", version] = apiVersion.includes("/") ? apiVersion.split("/") : ["core", apiVersion]
  return `${group.replace(/\.k8s\.io$/, "")}/${version}`
}

/** Kinds that are not of Kubernetes itself. */
const isForeign = ({ apiVersion }: Manifest) => /^(kustomize\.config\.k8s\.io|keda\.sh)\//.test(apiVersion)

const types = join(root, "node_modules/kubernetes-types")

/**
 * Lets the compiler compare the objects with the types that are made of Kubernetes' own description: names that there are not,
 * names that are missing, and values of another type. Answers with its complaints.
 */
export const complaints = (objects: ReadonlyMap<string, Manifest>): ReadonlyArray<string> => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-manifests-"))
  try {
    const lines = [...objects]
      .filter(([, object]) => !isForeign(object))
      .map(([path, object]) => {
        const type = `import(${JSON.stringify(join(types, `${moduleOf(object.apiVersion)}.d.ts`))}).${object.kind}`
        return `${JSON.stringify(object)} satisfies ${type} // ${path}`
      })
    const file = join(folder, "manifests.ts")
    writeFileSync(file, lines.map((line, index) => `export const object${index} = ${line}\n`).join(""))
    const flags = ["--noEmit", "--ignoreConfig", "--strict", "--skipLibCheck", "--module", "esnext"]
    const compiler = join(root, "node_modules/typescript/bin/tsc")
    const { status, stderr, stdout } = spawnSync(
      process.execPath,
      [compiler, ...flags, "--moduleResolution", "bundler", "--types", "", file],
      { encoding: "utf8", cwd: folder }
    )
    return status === 0 ? [] : `${stdout}${stderr}`.split("\n").filter((line) => line !== "")
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/**
 * Prints what Sluice brings to a machine as a software bill of materials (CycloneDX): npm's, of what is installed here, without
 * what the lock file marks as needed for development only. (`npm sbom --omit dev` also leaves out effect, which tests need too.)
 *
 *     npm run --silent sbom > sluice.cdx.json
 */
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))
const printed = execFileSync("npm", ["sbom", "--sbom-format", "cyclonedx", "--sbom-type", "application"], {
  cwd: root,
  encoding: "utf8",
  maxBuffer: 2 ** 28
})
const bill = JSON.parse(printed)

const { packages } = JSON.parse(readFileSync(new URL("../package-lock.json", import.meta.url), "utf8"))
const needed = new Set()
for (const [path, { dev, devOptional, version }] of Object.entries(packages)) {
  const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length)
  if (path !== "" && !dev && !devOptional) needed.add(`${name}@${version}`)
}

const isNeeded = (reference) => needed.has(reference) || reference === bill.metadata.component["bom-ref"]
bill.components = bill.components.filter((component) => isNeeded(component["bom-ref"]))
bill.dependencies = bill.dependencies
  .filter(({ ref }) => isNeeded(ref))
  .map(({ dependsOn, ref }) => ({ ref, dependsOn: dependsOn.filter(isNeeded) }))
console.log(JSON.stringify(bill, null, 2))

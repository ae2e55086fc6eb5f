import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { refusalOf, requireOneEffect, supportedEffect } from "../../src/domain/EffectCopy.ts"

const read = (path: string) => JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), "utf8"))
const packages = ["effect", "@effect/platform-node", "@effect/opentelemetry"]

describe("The versions of effect", () => {
  it("are the same in the package's peers and where they are checked, and those installed are among them", () => {
    const { dependencies, peerDependencies } = read("package.json")
    for (const name of packages) {
      assert.strictEqual(peerDependencies[name], supportedEffect)
      assert.isUndefined(dependencies[name])
      assert.isUndefined(refusalOf(read(`node_modules/${name}/package.json`).version))
    }
  })

  for (const version of ["4.1.0", "4.1.7"]) {
    it(`include ${version}`, () => assert.isUndefined(refusalOf(version)))
  }

  for (const version of ["3.22.0", "4.0.6", "4.2.0", "4.2.0-beta.1", "5.0.0", "no version"]) {
    it(`do not include ${version}, which is said with the way out`, () => {
      const refusal = refusalOf(version) ?? ""
      for (const part of [version, supportedEffect, "npm ls effect"]) assert.include(refusal, part)
    })
  }

  it.effect("are one copy where a program and this have the same", () => requireOneEffect)
})

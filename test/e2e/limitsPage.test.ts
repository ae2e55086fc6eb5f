import { assert, it } from "@effect/vitest"
import { existsSync, readFileSync } from "node:fs"

const page = readFileSync(new URL("../../docs/limits.md", import.meta.url), "utf8")

it("Every row of the page about limits names a test that is there", () => {
  const rows = page
    .slice(page.indexOf("## What an input gets"), page.indexOf("## Memory"))
    .split("\n")
    .filter((line) => line.startsWith("| ") && !line.startsWith("| ---") && !line.endsWith("| shown by |"))
  assert.isAbove(rows.length, 25)
  for (const row of rows) {
    const tests = [...(row.split("|").at(-2) ?? "").matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name)
    assert.isNotEmpty(tests, row)
    for (const name of tests) assert.isTrue(existsSync(new URL(`../${name}.test.ts`, import.meta.url)), row)
  }
})

// The command on a terminal. Needs the `script` of util-linux, which makes one; skipped where that is not installed.
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { manyPages, spinningPage, textPage } from "../support/pdf.ts"
import { temporaryFolder } from "../support/service.ts"
import { hasTerminal, startOnTerminal } from "./command.ts"

const ctrlC = "\u0003"

const countsIn = (output: string) => new Set(Array.from(output.matchAll(/ (\d+)\/1000 pages/g), ([, done]) => done))

describe.skipIf(!hasTerminal)("On a terminal (where there is util-linux's script), the command", () => {
  it.live("shows how far a file is, and leaves nothing half-written after Ctrl-C", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      // It cannot end before the key is typed.
      const pages = Array.from({ length: 999 }, (_, index) => textPage([`Page ${index + 1}`]))
      writeFileSync(join(folder, "long.pdf"), spinningPage(pages))
      const command = yield* startOnTerminal(folder, ["ingest", "--local", "long.pdf", "--out", "texts"])
      yield* command.printing("a bar that moves", (output) => countsIn(output).size >= 2)
      yield* command.type(ctrlC)
      assert.strictEqual(yield* command.ended, 130, command.output())
      assert.include(command.output(), "sluice: interrupted; the rest was not read")
      assert.notInclude(command.output(), "completed")
      assert.deepStrictEqual(readdirSync(join(folder, "texts")), [])
    })
  )

  it.live("replaces the bar by what became of the file", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      writeFileSync(join(folder, "short.pdf"), manyPages(3))
      const command = yield* startOnTerminal(folder, ["ingest", "--local", "short.pdf", "--out", "texts"])
      assert.strictEqual(yield* command.ended, 0, command.output())
      assert.include(command.output(), "\r\u001b[1A\u001b[Jshort.pdf: completed, 3 pages, in texts/short.txt")
      assert.deepStrictEqual(readdirSync(join(folder, "texts")), ["short.txt"])
    })
  )
})

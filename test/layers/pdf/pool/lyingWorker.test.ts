import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { manyPages } from "../../../support/pdf.ts"
import { engineWith, inMemory, pdfOf, read, statusWhen } from "../engine.ts"

const channelUrl = new URL("../../../../src/layers/pdf/pool/Channel.ts", import.meta.url)
const entryText = readFileSync(new URL("./lyingEntry.mjs", import.meta.url), "utf8")

/** An engine whose workers all tell this lie. */
const engineOf = Effect.fnUntraced(function* (lie: string) {
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "sluice-lying-"))),
    (path) => Effect.sync(() => rmSync(path, { recursive: true }))
  )
  const entry = join(folder, "lying.mjs")
  const constants = { lie, channelUrl: channelUrl.href }
  const lines = Object.entries(constants).map(([name, value]) => `const ${name} = ${JSON.stringify(value)}`)
  writeFileSync(entry, `${lines.join("\n")}\n${entryText}`)
  return engineWith({ workers: 1, entry: pathToFileURL(entry), sandbox: "off" })
})

const readOne = (key: string) => Effect.result(read(pdfOf(key, inMemory(manyPages(1))), [1]))

/** What becomes of two calls, one after the other, and how many workers were replaced after them. */
const tell = Effect.fnUntraced(function* (lie: string) {
  const engine = yield* engineOf(lie)
  return yield* Effect.gen(function* () {
    const results = [yield* readOne("first"), yield* readOne("second")]
    const { replaced } = lie.startsWith("nothing")
      ? { replaced: 0 }
      : yield* statusWhen(({ replaced }) => replaced >= 1)
    return { results, replaced }
  }).pipe(Effect.provide(engine))
}, Effect.scoped)

const reasonsOf = (results: ReadonlyArray<Result.Result<unknown, { readonly reason: Error }>>) =>
  results.map((result) => (Result.isFailure(result) ? result.failure.reason.message : "none"))

/** All that the entry can tell, as it lists them. */
const lies = [...entryText.matchAll(/^ {2}"([^"]+)": \(/gm)].map(([, name = ""]) => name)

describe("A page worker that sends", () => {
  it.live("nothing but the truth is believed", () =>
    Effect.gen(function* () {
      const { results } = yield* tell("nothing but the truth")
      assert.deepStrictEqual(reasonsOf(results), ["none", "none"])
    })
  )

  for (const lie of lies.filter((name) => name !== "nothing but the truth" && name !== "its end twice")) {
    it.live(`${lie} is ended, and its call with it; the engine goes on`, () =>
      Effect.gen(function* () {
        const { replaced, results } = yield* tell(lie)
        for (const reason of reasonsOf(results)) {
          assert.match(reason, /^a page worker died: it was ended because it /)
        }
        assert.isAtLeast(replaced, 1)
      })
    )
  }

  it.live("its end twice has done its call, and is ended", () =>
    Effect.gen(function* () {
      const { replaced, results } = yield* tell("its end twice")
      assert.strictEqual(reasonsOf(results)[0], "none")
      assert.isAtLeast(replaced, 1)
    })
  )
})

import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { holdDataDirectory } from "../../../src/layers/folder/DataDirectory.ts"

const temporaryFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "sluice-data-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
)

describe("the data folder", () => {
  it.effect("is made with what is missing above it, and held by one at a time", () =>
    Effect.gen(function* () {
      const directory = join(yield* temporaryFolder, "a", "b")
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* holdDataDirectory(directory)
          const error = yield* Effect.flip(Effect.scoped(holdDataDirectory(directory)))
          assert.include(error.message, "another Sluice works in it")
        })
      )
      yield* Effect.scoped(holdDataDirectory(directory))
    })
  )

  it.effect("is refused with its name when it cannot be made", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Effect.scoped(holdDataDirectory("/dev/null/data")))
      assert.include(error.message, "DATA_DIR /dev/null/data")
    })
  )
})

import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { createHash } from "node:crypto"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { BlobHash } from "../../../src/domain/Ids.ts"
import { PdfEngine } from "../../../src/services/PdfEngine.ts"
import { manyPages } from "../../support/pdf.ts"
import { engineWith, pdfOf } from "./engine.ts"

const fileOf = (bytes: Uint8Array) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "sluice-blob-"))),
      (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
    ),
    (folder) => {
      const path = join(folder, "blob")
      writeFileSync(path, bytes)
      return path
    }
  )

layer(engineWith({ workers: 1 }), { excludeTestServices: true })("A stored file", (it) => {
  const sound = manyPages(3)
  const hash = BlobHash.make(createHash("sha256").update(sound).digest("hex"))

  it.effect("is opened when its bytes match their hash", () =>
    Effect.gen(function* () {
      const engine = yield* PdfEngine
      const path = yield* fileOf(sound)
      assert.strictEqual((yield* engine.open(pdfOf("sound", { _tag: "File", path, hash }))).pageCount, 3)
    })
  )

  it.effect("is lost when one bit of it has changed or its end is missing, also where it could still be read", () =>
    Effect.gen(function* () {
      const engine = yield* PdfEngine
      const flipped = sound.slice()
      flipped[flipped.length - 1] = (flipped.at(-1) ?? 0) ^ 1
      for (const bytes of [flipped, sound.slice(0, -100), new Uint8Array()]) {
        const path = yield* fileOf(bytes)
        const error = yield* Effect.flip(engine.open(pdfOf(path, { _tag: "File", path, hash })))
        assert.strictEqual(error.reason._tag === "PdfUnreadable" && error.reason.failure.code, "BLOB_LOST")
      }
    })
  )
})

import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Result } from "effect"
import { parsePipelines } from "../../../../src/layers/config/PipelinesFile.ts"
import { httpStage } from "../../../../src/layers/stages/http/HttpStage.ts"
import type { Stage } from "../../../../src/services/pipelines/Stage.ts"
import { Docling } from "../../../support/docling.ts"
import { drawPage, layerOf, pageOf, runStage, stage, textOf } from "../../../support/stageInputs.ts"
import { serve } from "../../net/loopback.ts"

const text = readFileSync("examples/pipelines/docling-serve.json", "utf8")

/** The example, with the address of the fake and less time between polls. */
const example = (port: number) =>
  Result.getOrThrow(
    parsePipelines(
      "docling-serve.json",
      text.replace("http://127.0.0.1:5001", `http://127.0.0.1:${port}`).replaceAll('"500ms"', '"5ms"')
    )
  )

const using = Effect.fnUntraced(function* <A, E, R>(
  docling: Docling,
  name: "docling" | "docling-page",
  use: (made: Stage) => Effect.Effect<A, E, R>
) {
  const { port } = yield* serve(docling.handle)
  const { stages = {} } = example(port)
  const settings = stages[stage(name)]
  if (settings?.type !== "http") return assert.fail("no such stage")
  return yield* Effect.flatMap(httpStage(stage(name), settings, drawPage), use).pipe(
    Effect.provide(layerOf({}, { docling: { url: `http://127.0.0.1:${port}`, headers: { "X-Api-Key": "sesame" } } }))
  )
})

const convert = (bytes: Buffer, filename: string) => `# ${filename}\n\n${bytes.toString()}`
const options = { apiKey: "sesame", pollsUntilDone: 3 }

const run = (made: Stage) => runStage(made, pageOf(4, ""), { file: "%PDF-1.7 all of it" })

describe("docling-serve", () => {
  it.live("converts a document: a task is submitted, polled until it is done, and its result fetched", () =>
    Effect.gen(function* () {
      const docling = new Docling(convert, options)
      const { content } = yield* using(docling, "docling", (made) => run(made))
      assert.strictEqual(content.mediaType, "text/markdown; charset=utf-8")
      assert.strictEqual(textOf(content), "# 01900000-0000-7000-8000-000000000001.pdf\n\n%PDF-1.7 all of it")
      assert.deepStrictEqual([docling.submitted, docling.polled, docling.fetched, docling.refused], [1, 3, 1, []])
    })
  )

  it.live("reads a page from its image", () =>
    Effect.gen(function* () {
      const docling = new Docling(convert, options)
      const { content, reading } = yield* using(docling, "docling-page", (made) => run(made))
      assert.strictEqual(textOf(content), "# page-4.png\n\npage 4 at 200")
      assert.strictEqual(reading?.text, "page-4.png\n\npage 4 at 200")
    })
  )

  it.live(
    "asks for the same task when a run begins again, and submits another when the far side has forgotten it",
    () =>
      Effect.gen(function* () {
        let polled = yield* Deferred.make<void>()
        const docling = new Docling((bytes, filename) => (bytes.length === 0 ? undefined : convert(bytes, filename)), {
          apiKey: "sesame",
          pollsUntilDone: 1_000_000
        })
        const { port } = yield* serve((request, response) => {
          if (request.url?.includes("/poll/") === true) Deferred.doneUnsafe(polled, Effect.void)
          docling.handle(request, response)
        })
        const settings = example(port).stages?.[stage("docling")]
        if (settings?.type !== "http") return assert.fail("no such stage")
        yield* Effect.gen(function* () {
          const made = yield* httpStage(stage("docling"), settings, drawPage)
          const first = yield* Effect.forkChild(run(made))
          yield* Deferred.await(polled)
          yield* Fiber.interrupt(first)
          docling.pollsUntilDone = 1
          yield* run(made)
          assert.deepStrictEqual([docling.submitted, docling.fetched], [1, 1])
          docling.pollsUntilDone = 1_000_000
          polled = yield* Deferred.make<void>()
          const second = yield* Effect.forkChild(run(made))
          yield* Deferred.await(polled)
          yield* Fiber.interrupt(second)
          docling.forget()
          docling.pollsUntilDone = 1
          yield* run(made)
          assert.deepStrictEqual([docling.submitted, docling.fetched], [3, 2])
        }).pipe(
          Effect.provide(
            layerOf({}, { docling: { url: `http://127.0.0.1:${port}`, headers: { "X-Api-Key": "sesame" } } })
          )
        )
      })
  )

  it.live("tells why a task failed, and does not try again", () =>
    Effect.gen(function* () {
      const docling = new Docling(() => undefined, options)
      const error = yield* Effect.flip(using(docling, "docling", (made) => run(made)))
      assert.deepInclude(error, { _tag: "StageError", again: false })
      assert.include(
        error.message,
        "the far side failed to do the task (failure): Conversion failed: the layout model ran out of memory"
      )
      assert.strictEqual(docling.submitted, 1)
    })
  )
})

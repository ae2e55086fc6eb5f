// A server that is killed while stages are at work: what the far side had answered and the server had stored is never asked for again.
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from "node:fs"
import type { ServerResponse } from "node:http"
import { join } from "node:path"
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import type { DocumentId } from "../../src/domain/Ids.ts"
import { get, postPdf } from "../http/client.ts"
import { serve } from "../layers/net/loopback.ts"
import { hasProgram, processesWith } from "../support/commands.ts"
import { Docling } from "../support/docling.ts"
import { manyPages } from "../support/pdf.ts"
import { clientOf, startServer } from "../support/serverProcess.ts"
import { acceptedId, allPagesOf, statusOf, temporaryFolder, until } from "../support/service.ts"

const pageCount = 24
/** The far side holds back what comes after so many answers, until the server is gone. */
const answersBefore = 9

const hasEnded = ({ status }: { readonly status: string }) => status !== "running" && status !== "queued"

interface Listed {
  readonly page?: number
  readonly stage: string
  readonly status: string
}

const artifactsOf = Effect.fnUntraced(function* (id: DocumentId, stage: string) {
  const { json } = yield* get(`/v1/documents/${id}/artifacts?stage=${stage}&limit=200`)
  const list: ReadonlyArray<Listed> = Object(json).artifacts
  return list.filter(({ status }) => status === "done").map(({ page = 0 }) => page)
})

/** Answers with the length of each text, in upper case, and counts its answers by page. */
class Counter {
  readonly answered = new Map<number, number>()
  #held: Array<() => void> = []
  isHolding = true

  get total(): number {
    return [...this.answered.values()].reduce((sum, count) => sum + count, 0)
  }

  ask(page: number, response: ServerResponse): void {
    const answer = () => {
      this.answered.set(page, (this.answered.get(page) ?? 0) + 1)
      response.end(JSON.stringify({ page, words: `TEXT OF PAGE ${page}` }))
    }
    if (this.isHolding && this.total >= answersBefore) this.#held.push(answer)
    else answer()
  }

  /** Those who asked are gone. */
  letGo(): void {
    this.isHolding = false
    this.#held = []
  }
}

const counting = Effect.fnUntraced(function* (counter: Counter) {
  const { port } = yield* serve((request, response) => {
    let body = ""
    request.on("data", (part: Buffer) => (body += part.toString()))
    request.on("end", () => counter.ask(Number(JSON.parse(body).page), response))
  })
  return `http://127.0.0.1:${port}`
})

const withPipelines = (folder: string, file: unknown) => {
  const path = join(folder, "pipelines.json")
  writeFileSync(path, JSON.stringify(file))
  return { PIPELINES_FILE: path, OCR: "off" }
}

const asking = (url: string, provides: "text" | "artifact") => ({
  downstreams: { far: { url, concurrency: 4 } },
  stages: {
    ask: {
      type: "http",
      kind: "page",
      provides,
      downstream: "far",
      send: { json: { page: "{{page}}", text: "{{text}}" } },
      answer: "json",
      ...(provides === "text" ? { pageText: "/words" } : {})
    }
  },
  pipelines: { asked: ["ask"] }
})

it.live.each(["artifact", "text"] as const)(
  "A server that is killed asks for no %s again that was answered and stored",
  (provides) =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const counter = new Counter()
      const env = withPipelines(folder, asking(yield* counting(counter), provides))
      const data = join(folder, "data")
      const first = yield* startServer(data, env)
      const { id, stored } = yield* Effect.gen(function* () {
        const id = yield* acceptedId(
          yield* postPdf("/v1/documents?name=many.pdf&pipeline=asked", {}, manyPages(pageCount))
        )
        const stored = yield* until(artifactsOf(id, "ask"), (pages) => pages.length >= answersBefore - 1)
        return { id, stored }
      }).pipe(Effect.provide(clientOf(first)))
      yield* first.signal("SIGKILL")
      yield* first.ended
      counter.letGo()

      yield* Effect.gen(function* () {
        const document = yield* until(statusOf(id), hasEnded)
        assert.strictEqual(document.status, "completed")
        const made = yield* artifactsOf(id, "ask")
        assert.lengthOf(made, pageCount)
        for (const page of stored) assert.strictEqual(counter.answered.get(page), 1, `page ${page}`)
        assert.strictEqual(counter.answered.size, pageCount)
        // At most what was under way: answered, and not stored yet.
        assert.isAtMost(counter.total, pageCount + answersBefore - stored.length)
        const pages = yield* allPagesOf(id)
        assert.deepStrictEqual(
          pages.map(({ text }) => text),
          pages.map(({ number }) => (provides === "text" ? `TEXT OF PAGE ${number}` : `Page ${number} of ${pageCount}`))
        )
      }).pipe(Effect.provide(clientOf(yield* startServer(data, env))))
    })
)

it.live("A server that is killed submits a document once more whose task had no result, and no other", () =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const docling = new Docling((bytes, filename) => `# ${filename}\n\n${bytes.length} bytes`, { pollsUntilDone: 1 })
    const { port } = yield* serve(docling.handle)
    const env = withPipelines(folder, {
      downstreams: { docling: { url: `http://127.0.0.1:${port}`, concurrency: 2 } },
      stages: {
        docling: {
          type: "http",
          kind: "document",
          downstream: "docling",
          path: "/v1/convert/source/async",
          send: {
            json: {
              options: { to_formats: ["md"] },
              sources: [{ kind: "file", base64_string: "{{file}}", filename: "{{id}}.pdf" }],
              target: { kind: "inbody" }
            }
          },
          poll: {
            id: "/task_id",
            path: "/v1/status/poll/{id}",
            status: "/task_status",
            done: ["success"],
            failed: ["failure"],
            result: "/v1/result/{id}",
            every: "20ms"
          },
          answer: "json",
          pick: "/document/md_content",
          content: "markdown"
        }
      },
      pipelines: { docling: ["docling"] }
    })
    const data = join(folder, "data")
    const first = yield* startServer(data, env)
    const post = (name: string) => postPdf(`/v1/documents?name=${name}&pipeline=docling`, {}, manyPages(2))
    const { done, open } = yield* Effect.gen(function* () {
      const done = yield* acceptedId(yield* post("done.pdf"))
      yield* until(statusOf(done), hasEnded)
      docling.pollsUntilDone = 1_000_000
      const open = yield* acceptedId(yield* post("open.pdf"))
      yield* until(
        Effect.sync(() => docling.submitted),
        (count) => count === 2
      )
      return { done, open }
    }).pipe(Effect.provide(clientOf(first)))
    yield* first.signal("SIGKILL")
    yield* first.ended
    docling.pollsUntilDone = 1

    yield* Effect.gen(function* () {
      assert.strictEqual((yield* until(statusOf(open), hasEnded)).status, "completed")
      assert.strictEqual((yield* statusOf(done)).status, "completed")
      const content = yield* get(`/v1/documents/${open}/artifacts/docling`)
      assert.match(content.text, new RegExp(`^# ${open}\\.pdf\n`))
      assert.deepStrictEqual([docling.submitted, docling.fetched], [3, 2])
    }).pipe(Effect.provide(clientOf(yield* startServer(data, env))))
  })
)

it.live.skipIf(process.platform !== "linux" || !hasProgram("bwrap"))(
  "A server that is killed takes its commands with it, and the next one removes their directories",
  () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const mark = `marked-${process.pid}-killed`
      const temporary = join(folder, "tmp")
      mkdirSync(temporary, { mode: 0o711 })
      // Commands of an engine that is root reach their directories as another user.
      chmodSync(folder, 0o711)
      const env = {
        ...withPipelines(folder, {
          stages: {
            hang: {
              type: "command",
              kind: "page",
              run: [
                "/bin/sh",
                "-c",
                `setsid sh -c 'while :; do sleep 1; done # ${mark}' & while :; do sleep 1; done # ${mark}`
              ],
              send: "text",
              input: "stdin",
              output: "stdout",
              answer: "text",
              sandbox: "require"
            }
          },
          pipelines: { hanging: ["hang"] }
        }),
        TMPDIR: temporary
      }
      const data = join(folder, "data")
      const directories = () => readdirSync(temporary).filter((name) => name.startsWith("sluice-commands."))
      const first = yield* startServer(data, env)
      yield* Effect.gen(function* () {
        yield* acceptedId(yield* postPdf("/v1/documents?name=a.pdf&pipeline=hanging", {}, manyPages(1)))
        yield* until(
          Effect.sync(() => processesWith(mark)),
          (count) => count >= 3
        )
      }).pipe(Effect.provide(clientOf(first)))
      const left = directories()
      assert.lengthOf(left, 1)
      yield* first.signal("SIGKILL")
      yield* first.ended
      yield* until(
        Effect.sync(() => processesWith(mark)),
        (count) => count === 0
      )
      yield* startServer(join(folder, "other"), env)
      assert.deepStrictEqual(
        directories().filter((name) => left.includes(name)),
        []
      )
    })
)

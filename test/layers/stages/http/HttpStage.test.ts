import type { IncomingMessage, ServerResponse } from "node:http"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { httpStage } from "../../../../src/layers/stages/http/HttpStage.ts"
import type { DocumentStage, PageStage, SourceStage, Stage } from "../../../../src/services/pipelines/Stage.ts"
import type { HttpStageSettings } from "../../../../src/services/pipelines/settings/HttpStageSettings.ts"
import { stateOf } from "../../../support/downstreams.ts"
import {
  documentInput,
  drawPage,
  layerOf,
  pageInput,
  pageOf,
  sourceInput,
  stage,
  stagesOf,
  textOf
} from "../../../support/stageInputs.ts"
import { serve } from "../../net/loopback.ts"

interface Seen {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: IncomingMessage["headers"]
  readonly body: string
}

const farSide = Effect.fnUntraced(function* (answer: (seen: Seen, response: ServerResponse) => void) {
  const seen: Array<Seen> = []
  const { port } = yield* serve((request, response) => {
    let body = ""
    request.setEncoding("latin1")
    request.on("data", (part: string) => (body += part))
    request.on("end", () => {
      const { headers, method, url } = request
      const one = { method, url, headers, body }
      seen.push(one)
      answer(one, response)
    })
  })
  return { seen, url: `http://127.0.0.1:${port}` }
})

type Written = Partial<typeof HttpStageSettings.Encoded>

const written = (settings: Written): typeof HttpStageSettings.Encoded => ({
  type: "http",
  kind: "page",
  downstream: "far",
  send: "text",
  answer: "text",
  ...settings
})

/** Makes the stage `ask`, and uses it over the far side. */
const using = <A, E, R>(url: string, settings: Written, use: (made: Stage) => Effect.Effect<A, E, R>) => {
  const stages = { ask: written(settings) }
  const decoded = stagesOf(stages)[stage("ask")]
  return Effect.gen(function* () {
    if (decoded?.type !== "http") return assert.fail("no such stage")
    return yield* use(yield* httpStage(stage("ask"), decoded, drawPage))
  }).pipe(Effect.provide(layerOf(stages, { far: { url, tokens: { limit: 1_000, per: "1 day" } } })))
}

const isPage = (made: Stage): made is PageStage => made.kind === "page"
const isDocument = (made: Stage): made is DocumentStage => made.kind === "document"
const isSource = (made: Stage): made is SourceStage => made.kind === "source"

const onPage = (url: string, settings: Written, page = pageOf(2, "a page")) =>
  using(url, settings, (made) => (isPage(made) ? made.run(pageInput(page)) : Effect.die("no page stage")))

describe("A stage over HTTP", () => {
  it.live("sends the text of a page and keeps the answer as its artifact", () =>
    Effect.gen(function* () {
      const { seen, url } = yield* farSide((_, response) => response.end("a summary"))
      const { content, reading } = yield* onPage(url, { path: "/v1/sum?short=1", headers: { "x-how": "well" } })
      assert.strictEqual(content.mediaType, "text/plain; charset=utf-8")
      assert.strictEqual(textOf(content), "a summary")
      assert.isUndefined(reading)
      const [call] = seen
      assert.deepInclude(call, { method: "POST", url: "/v1/sum?short=1", body: "a page" })
      assert.deepInclude(call?.headers, {
        "content-type": "text/plain; charset=utf-8",
        "x-how": "well",
        accept: "text/plain"
      })
    })
  )

  it.live("gives a page the text that is read elsewhere, cleaned, without a layout that nobody has told", () =>
    Effect.gen(function* () {
      const { url } = yield* farSide((_, response) =>
        response.end(JSON.stringify({ document: { md: "# Head\r\n\r\nBody\u0000  \n", plain: "\nHead\n\nBody\n\n" } }))
      )
      const output = yield* onPage(url, {
        provides: "text",
        send: "image",
        answer: "json",
        pick: "/document/md",
        content: "markdown",
        pageText: "/document/plain"
      })
      assert.deepStrictEqual(output.reading, { text: "Head\n\nBody", lines: "[]" })
      assert.strictEqual(output.content.mediaType, "text/markdown; charset=utf-8")
      const alone = yield* onPage(url, { provides: "text", answer: "json", pick: "/document/md" })
      assert.strictEqual(alone.reading?.text, "# Head\n\nBody")
    })
  )

  it.live("asks a chat model with an image of the page, and counts the tokens that it reports", () =>
    Effect.gen(function* () {
      const { seen, url } = yield* farSide((_, response) =>
        response.end(
          JSON.stringify({ choices: [{ message: { content: "what the page shows" } }], usage: { total_tokens: 321 } })
        )
      )
      const settings: Written = {
        path: "/v1/chat/completions",
        provides: "text",
        image: { dpi: 150, format: "webp" },
        send: {
          json: {
            model: "a-model",
            messages: [
              {
                role: "user",
                content: [
                  { type: "text", text: "Transcribe page {{page}} of {{name}}." },
                  { type: "image_url", image_url: { url: "{{imageUrl}}" } }
                ]
              }
            ],
            seed: "{{page}}"
          }
        },
        answer: "json",
        pick: "/choices/0/message/content",
        used: { tokens: "/usage/total_tokens" }
      }
      yield* using(url, settings, (made) =>
        Effect.gen(function* () {
          if (!isPage(made)) return
          const output = yield* made.run(pageInput(pageOf(7, "")))
          assert.strictEqual(output.reading?.text, "what the page shows")
          const { calls, tokens } = yield* stateOf("far")
          assert.deepStrictEqual([calls, tokens?.left], [1, 1_000 - 321])
        })
      )
      const body = JSON.parse(seen[0]?.body ?? "")
      assert.strictEqual(body.messages[0].content[0].text, "Transcribe page 7 of report.pdf.")
      const image = Buffer.from("page 7 at 150").toString("base64")
      assert.strictEqual(body.messages[0].content[1].image_url.url, `data:image/webp;base64,${image}`)
      assert.strictEqual(body.seed, 7)
    })
  )

  it.live("sends what earlier stages made, as JSON where it is JSON, and fails when there is none", () =>
    Effect.gen(function* () {
      const { seen, url } = yield* farSide((_, response) => response.end("{}"))
      const settings: Written = {
        kind: "document",
        send: { json: { facts: "{{artifact:facts}}", all: "{{markdown}}" } },
        answer: "json"
      }
      const facts = { mediaType: "application/json", bytes: new TextEncoder().encode('{"total":7}') }
      const error = yield* using(url, settings, (made) =>
        Effect.gen(function* () {
          if (!isDocument(made)) return yield* Effect.die("no document stage")
          yield* made.run(documentInput([pageOf(1, "one"), pageOf(2, ""), pageOf(3, "three")], { earlier: { facts } }))
          return yield* Effect.flip(made.run(documentInput([])))
        })
      )
      const sent = JSON.parse(seen[0]?.body ?? "")
      assert.deepStrictEqual(sent.facts, { total: 7 })
      assert.match(sent.all, /^one\n[^]*page 2 is missing: scanned[^]*three/)
      assert.include(error.message, "there is no artifact of the stage facts")
      assert.lengthOf(seen, 1)
    })
  )

  it.live("uploads a file in a form", () =>
    Effect.gen(function* () {
      const { seen, url } = yield* farSide((_, response) => response.end('{"ok":true}'))
      const settings: Written = {
        kind: "document",
        send: { form: { files: "{{file}}", to_formats: ["md", "text"], note: "of {{tenant}}" } },
        answer: "json"
      }
      yield* using(url, settings, (made) =>
        isDocument(made) ? made.run(documentInput([], { name: 'a "b"\r\n.pdf' })) : Effect.die("no document stage")
      )
      const [call] = seen
      const boundary = /^multipart\/form-data; boundary=(\S+)$/.exec(call?.headers["content-type"] ?? "")?.[1] ?? ""
      const parts = call?.body.split(`--${boundary}`) ?? []
      assert.lengthOf(parts, 6)
      assert.include(
        parts[1],
        'name="files"; filename="a %22b%22%0D%0A.pdf"\r\ncontent-type: application/pdf\r\n\r\n%PDF-1.7 the file'
      )
      assert.include(parts[3], 'name="to_formats"\r\n\r\ntext\r\n')
      assert.include(parts[4], "of acme")
    })
  )

  it.live("makes the PDF of a file that is none, and takes no other", () =>
    Effect.gen(function* () {
      let answer = "%PDF-1.7 made"
      const { url } = yield* farSide((_, response) => response.end(answer))
      const settings: Written = {
        kind: "source",
        send: "file",
        answer: "pdf",
        accepts: [{ extension: ".docx", begins: "PK\u0003\u0004", contains: "[Content_Types].xml" }]
      }
      yield* using(url, settings, (made) =>
        Effect.gen(function* () {
          if (!isSource(made)) return
          const office = Buffer.from("PK\u0003\u0004 and [Content_Types].xml and more", "latin1")
          assert.isTrue(made.accepts(office, "A.DOCX"))
          assert.isFalse(made.accepts(office, "a.pdf"))
          assert.isFalse(made.accepts(Buffer.from("random"), "a.docx"))
          const { pdf } = yield* made.run(sourceInput("a.docx", office))
          assert.strictEqual(new TextDecoder().decode(pdf), "%PDF-1.7 made")
          const other = yield* Effect.flip(made.run(sourceInput("a.docx", Buffer.from("PK\u0003\u0004 no", "latin1"))))
          assert.include(other.message, "none of those that the stage takes")
          answer = "<html>sorry</html>"
          const wrong = yield* Effect.flip(made.run(sourceInput("a.docx", office)))
          assert.include(wrong.message, "is no PDF; it has 18 bytes and begins: <html>sorry")
        })
      )
    })
  )

  it.live.each([
    ["what is not JSON", {}, "sorry, no", "is not JSON; it begins: sorry, no", true],
    ["a place that is not there", { pick: "/a/1" }, '{"a":[1]}', "has nothing at /a/1", true],
    ["a number for a text", { pick: "/a", content: "text" }, '{"a":1}', "has no text at /a", true],
    [
      "a status that is none of success",
      { expect: { "/status": ["success"] } },
      '{"status":"failure"}',
      'has "failure" at /status',
      false
    ]
  ] as const)("fails for an answer with %s, and says what was wrong", ([, settings, body, expected, again]) =>
    Effect.gen(function* () {
      const { url } = yield* farSide((_, response) => response.end(body))
      const error = yield* Effect.flip(onPage(url, { answer: "json", ...settings }))
      assert.include(error.message, expected)
      assert.deepInclude(error, { _tag: "StageError", again })
    })
  )

  it.live("tells a refusal of the far side with the begin of its words, and does not try again", () =>
    Effect.gen(function* () {
      const { seen, url } = yield* farSide((_, response) =>
        response.writeHead(422).end(`too\n\n  long${"!".repeat(5_000)}`)
      )
      const error = yield* Effect.flip(onPage(url, {}))
      assert.deepInclude(error, { _tag: "StageError", again: false })
      assert.match(error.message, /^the downstream far answered with status 422: too long!{1,400}…$/)
      assert.lengthOf(seen, 1)
    })
  )

  it.live("sends nothing that is larger than it may be", () =>
    Effect.gen(function* () {
      const { seen, url } = yield* farSide((_, response) => response.end("{}"))
      const error = yield* Effect.flip(onPage(url, { maxSent: "100B" }, pageOf(1, "x".repeat(101))))
      assert.include(error.message, "more than 100 bytes")
      const file = yield* Effect.flip(
        using(url, { kind: "document", send: { json: "{{file}}" }, maxSent: "10B" }, (made) =>
          isDocument(made) ? made.run(documentInput([])) : Effect.die("no document stage")
        )
      )
      assert.include(file.message, "the file has 17 bytes, and the stage takes 10 at most")
      assert.lengthOf(seen, 0)
    })
  )
})

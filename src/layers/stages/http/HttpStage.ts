// A stage that is a call over HTTP, made of its settings.
import { Effect, type Schema } from "effect"
import type { StageName } from "../../../domain/pipeline/Pipeline.ts"
import {
  type DownstreamAnswer,
  DownstreamHttp,
  type DownstreamRejected
} from "../../../services/downstreams/DownstreamHttp.ts"
import { Downstreams, reportUsed } from "../../../services/downstreams/Downstreams.ts"
import type { Stage } from "../../../services/pipelines/Stage.ts"
import type { HttpStageSettings } from "../../../services/pipelines/settings/HttpStageSettings.ts"
import { acceptsHead, acceptsWhole } from "../matter/Accepts.ts"
import {
  type Answered,
  decodeJson,
  decodeText,
  documentOutput,
  pageOutput,
  pickFrom,
  pickText,
  sourceOutput,
  textContent,
  valueAt
} from "../matter/Answer.ts"
import { excerpt, final, passing } from "../matter/Failures.ts"
import { checkSize, readFile } from "../matter/FileBytes.ts"
import { type DrawPage, type Matter, matterOfDocument, matterOfPage, matterOfSource } from "../matter/Matter.ts"
import { bodyOf, type Prepared, sends } from "./Body.ts"
import { runTask } from "./Polling.ts"
import { Tasks } from "./Tasks.ts"

const accepted = {
  json: "application/json",
  text: "text/plain",
  markdown: "text/markdown, text/plain",
  pdf: "application/pdf"
}

const rejected = ({ excerpt: body, message }: DownstreamRejected) =>
  final(body === "" ? message : `${message}: ${excerpt(body)}`)

const sameJson = (one: Schema.Json, other: Schema.Json): boolean => JSON.stringify(one) === JSON.stringify(other)

/** Fails unless the answer has the values that it must have. */
const checkExpected = Effect.fnUntraced(function* (value: Schema.Json, { expect }: HttpStageSettings) {
  for (const [pointer, allowed] of Object.entries(expect)) {
    const found = valueAt(value, pointer)
    if (found !== undefined && allowed.some((one) => sameJson(one, found))) continue
    const said = found === undefined ? "nothing" : excerpt(JSON.stringify(found), 80)
    return yield* final(
      `the answer has ${said} at ${pointer}; the whole answer begins: ${excerpt(JSON.stringify(value))}`
    )
  }
})

/** Tells what the far side says that it used. */
const reportFrom = (value: Schema.Json, { used }: HttpStageSettings) => {
  const amount = (pointer: string | undefined) => {
    const found = pointer === undefined ? undefined : valueAt(value, pointer)
    return typeof found === "number" && Number.isFinite(found) && found >= 0 ? found : 0
  }
  return used === undefined ? Effect.void : reportUsed({ tokens: amount(used.tokens), cost: amount(used.cost) })
}

const what = "the answer"

const contentOf = Effect.fnUntraced(function* (
  picked: Schema.Json,
  { content = "json", pick = "" }: HttpStageSettings
) {
  if (content === "json") return textContent("json", JSON.stringify(picked))
  if (typeof picked === "string") return textContent(content, picked)
  return yield* passing(`${what} has no text at ${pick === "" ? "its top" : pick}`)
})

const fromJson = Effect.fnUntraced(function* ({ body }: DownstreamAnswer, settings: HttpStageSettings) {
  const value = yield* decodeJson(body, what)
  yield* reportFrom(value, settings)
  yield* checkExpected(value, settings)
  const picked = yield* pickFrom(value, settings.pick ?? "", what)
  const content = yield* contentOf(picked, settings)
  if (settings.provides === "artifact") return { content } satisfies Answered
  const pageText =
    settings.pageText === undefined
      ? yield* pickText(value, settings.pick ?? "", what)
      : yield* pickText(value, settings.pageText, what)
  return { content, pageText } satisfies Answered
})

/** The answer of a page or document stage. */
const answeredOf = Effect.fnUntraced(function* (answer: DownstreamAnswer, settings: HttpStageSettings) {
  if (settings.answer === "json") return yield* fromJson(answer, settings)
  const text = yield* decodeText(answer.body, what)
  return { content: textContent(settings.answer === "markdown" ? "markdown" : "text", text) } satisfies Answered
})

const pdfOf = Effect.fnUntraced(function* (answer: DownstreamAnswer, settings: HttpStageSettings) {
  if (settings.answer === "pdf") return yield* sourceOutput(answer.body, what)
  const value = yield* decodeJson(answer.body, what)
  yield* reportFrom(value, settings)
  yield* checkExpected(value, settings)
  const base64 = yield* pickText(value, settings.pick ?? "", what)
  return yield* sourceOutput(new Uint8Array(Buffer.from(base64, "base64")), "what the answer has in base64")
})

/** Names what the task was for, so that the same work asks for the same task. */
const taskKey = (name: StageName, { version }: HttpStageSettings, { page, subject }: Matter) =>
  `${subject.tenant} ${subject.document} ${page ?? 0} ${name} ${version}`

/** One exchange in its place at the downstream: submits, waits, and judges the answer with `read`. */
const makeExchange = Effect.fnUntraced(function* (name: StageName, settings: HttpStageSettings) {
  const http = yield* DownstreamHttp
  const tasks = new Tasks()
  const { downstream, method, path, poll } = settings
  const headers = { accept: accepted[settings.answer], ...settings.headers }
  const jsonHeaders = { ...headers, accept: "application/json" }

  const submit = Effect.fnUntraced(function* (prepared: Prepared) {
    if (method === "GET") return yield* http.send(downstream, { method, path, headers })
    const { bytes, contentType } = yield* bodyOf(prepared, settings)
    const sent = { "content-type": contentType, ...(poll === undefined ? headers : jsonHeaders) }
    return yield* http.send(downstream, { method, path, headers: sent, body: bytes })
  })

  return Effect.fnUntraced(function* <A, E, R>(
    matter: Matter,
    read: (answer: DownstreamAnswer) => Effect.Effect<A, E, R>
  ) {
    const downstreams = yield* Downstreams
    const { subject } = matter
    if (sends(settings, "file")) yield* checkSize(matter.location, settings.maxSent)
    const image = sends(settings, "image", "imageUrl") ? yield* matter.image(settings.image) : undefined
    const prepared: Prepared = { matter, image, most: settings.maxSent }
    const exchange =
      poll === undefined
        ? submit(prepared)
        : runTask(
            {
              poll,
              tasks,
              key: taskKey(name, settings, matter),
              headers,
              send: (request) => http.send(downstream, request)
            },
            submit(prepared)
          )
    return yield* downstreams.call(downstream, { tenant: subject.tenant, priority: subject.priority })(
      exchange.pipe(
        Effect.catchTag("DownstreamRejected", (error) => Effect.fail(rejected(error))),
        Effect.flatMap(read)
      )
    )
  })
})

/** The stage of this name. */
export const httpStage = Effect.fnUntraced(function* (name: StageName, settings: HttpStageSettings, draw: DrawPage) {
  const exchange = yield* makeExchange(name, settings)
  const { accepts, downstream, kind, needs, provides, version } = settings
  const base = { name, version, needs, downstream }
  const stages: Readonly<Record<Stage["kind"], Stage>> = {
    source: {
      ...base,
      kind: "source",
      accepts: acceptsHead(accepts),
      run: Effect.fnUntraced(function* (input) {
        if (accepts.some(({ contains, isText }) => contains !== undefined || isText === true)) {
          const bytes = yield* readFile(input.location, settings.maxSent)
          if (!acceptsWhole(accepts, bytes, input.name))
            return yield* final("the file is none of those that the stage takes")
        }
        return yield* exchange(matterOfSource(input), (answer) => pdfOf(answer, settings))
      })
    },
    page: {
      ...base,
      kind: "page",
      provides,
      run: Effect.fnUntraced(function* (input) {
        const answered = yield* exchange(matterOfPage(input, draw), (answer) => answeredOf(answer, settings))
        return pageOutput(provides, answered)
      })
    },
    document: {
      ...base,
      kind: "document",
      run: Effect.fnUntraced(function* (input) {
        return documentOutput(yield* exchange(matterOfDocument(input), (answer) => answeredOf(answer, settings)))
      })
    }
  }
  return stages[kind]
})

import { Effect, Schema } from "effect"
import { DownstreamName } from "../../../domain/downstream/Downstream.ts"
import { missingFor, workFields, workIssues } from "./StageBase.ts"
import { bytes, JsonTemplate, millis, placeholdersOf, placeholdersOfJson, Pointer, Template } from "./Values.ts"

// A stage that is a call over HTTP.

/** What is sent as the whole body. */
export const PlainBody = Schema.Literals(["text", "markdown", "layout", "image", "file"])
export type PlainBody = typeof PlainBody.Type

const Sent = Schema.Union([
  PlainBody,
  Schema.Struct({ json: JsonTemplate }),
  Schema.Struct({
    form: Schema.Record(Schema.String, Schema.Union([Template, Schema.Array(Template)])).annotate({
      description: "Fields of a form (`multipart/form-data`). A field `{{file}}` or `{{image}}` is sent as a file."
    })
  })
]).annotate({
  description:
    "`text`, `markdown` or `layout` of the page or document, the `image` of the page, the `file`, a JSON value with placeholders, or a form."
})
export type Sent = typeof Sent.Type

const taskPath = Schema.String.check(
  Schema.makeFilter((path: string) => path.includes("{id}") || "a path with {id} in it, for the task")
)

export const PollSettings = Schema.Struct({
  id: Pointer.annotate({ description: "Where the first answer has the id of the task." }),
  path: taskPath.annotate({ description: "Asked with GET: `/v1/status/poll/{id}`." }),
  status: Pointer.annotate({ description: "Where its answer has the status." }),
  done: Schema.NonEmptyArray(Schema.String).annotate({ description: "Statuses of a task that is done." }),
  failed: Schema.NonEmptyArray(Schema.String).annotate({ description: "Statuses of a task that failed for good." }),
  error: Schema.optionalKey(Pointer.annotate({ description: "Where the answer says why it failed." })),
  result: Schema.optionalKey(
    taskPath.annotate({ description: "Asked with GET when it is done; when absent, the last status has the result." })
  ),
  every: millis("2s", "Between two questions.")
}).annotate({ description: "For a far side that takes a task and is asked until it is done." })
export interface PollSettings extends Schema.Schema.Type<typeof PollSettings> {}

const namesIn = (sent: Sent): ReadonlyArray<string> => {
  if (typeof sent === "string") return [sent]
  if ("json" in sent) return placeholdersOfJson(sent.json)
  return Object.values(sent.form).flatMap((value) =>
    (typeof value === "string" ? [value] : value).flatMap(placeholdersOf)
  )
}

export const HttpStageSettings = Schema.Struct({
  type: Schema.tag("http"),
  ...workFields,
  downstream: DownstreamName.annotate({ description: "One of `downstreams`, with a `url`." }),
  path: Schema.String.annotate({ description: "Below the downstream's `url`, with its query." }).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed(""))
  ),
  method: Schema.Literals(["POST", "GET"]).pipe(Schema.withDecodingDefaultKey(Effect.succeed("POST" as const))),
  headers: Schema.Record(Schema.String, Schema.String)
    .annotate({ description: "Beside those of the downstream, where secrets are named." })
    .pipe(Schema.withDecodingDefaultKey(Effect.succeed({}))),
  send: Sent,
  answer: Schema.Literals(["json", "text", "markdown", "pdf"]).annotate({
    description:
      "What the far side answers with. A source stage answers with a PDF, or with JSON that has it in base64."
  }),
  pick: Schema.optionalKey(
    Pointer.annotate({ description: "Of an answer in JSON: where the content is; all of it when absent." })
  ),
  content: Schema.optionalKey(
    Schema.Literals(["json", "text", "markdown"]).annotate({
      description: "What the picked content is; `json` when absent, which a text is, too."
    })
  ),
  pageText: Schema.optionalKey(
    Pointer.annotate({ description: "With `provides: text`: where the page's text is, if it is not the content." })
  ),
  expect: Schema.Record(Pointer, Schema.Array(Schema.Json))
    .annotate({ description: 'Values that an answer in JSON must have: `{ "/status": ["success"] }`.' })
    .pipe(Schema.withDecodingDefaultKey(Effect.succeed({}))),
  used: Schema.optionalKey(
    Schema.Struct({ tokens: Schema.optionalKey(Pointer), cost: Schema.optionalKey(Pointer) }).annotate({
      description: "Where an answer in JSON says what the call used."
    })
  ),
  poll: Schema.optionalKey(PollSettings),
  maxSent: bytes("64MiB", "The largest body that is sent.")
})
  .check(
    Schema.makeFilter((settings) => {
      const { answer, kind, pick, poll, send } = settings
      const strange = namesIn(send).find((name) => missingFor(kind, name))
      return [
        ...workIssues(settings),
        ...(strange === undefined ? [] : [{ path: ["send"], issue: `a ${kind} stage has no ${strange}` }]),
        ...(answer !== "json" && pick !== undefined ? [{ path: ["pick"], issue: "only of an answer in JSON" }] : []),
        ...(answer === "pdf" && kind !== "source"
          ? [{ path: ["answer"], issue: "only a source stage makes a PDF" }]
          : []),
        ...(kind === "source" && answer !== "pdf" && (answer !== "json" || pick === undefined)
          ? [{ path: ["answer"], issue: "`pdf`, or `json` and with `pick` where the PDF is, in base64" }]
          : []),
        ...(poll !== undefined && answer !== "json" && poll.result === undefined
          ? [{ path: ["poll"], issue: "`result`: a status is JSON, and the answer is not" }]
          : [])
      ]
    })
  )
  .annotate({ identifier: "HttpStage", description: "A call over HTTP." })
export interface HttpStageSettings extends Schema.Schema.Type<typeof HttpStageSettings> {}

// The form of call in which a far side takes a task, and is asked until it is done.
import { Effect, type Schema } from "effect"
import type {
  DownstreamAnswer,
  DownstreamHttp,
  DownstreamRequest
} from "../../../services/downstreams/DownstreamHttp.ts"
import type { PollSettings } from "../../../services/pipelines/settings/HttpStageSettings.ts"
import { decodeJson, pickFrom, pickText, valueAt } from "../matter/Answer.ts"
import { excerpt, final, passing } from "../matter/Failures.ts"
import type { Tasks } from "./Tasks.ts"

export type Send = (request: DownstreamRequest) => ReturnType<DownstreamHttp["Service"]["send"]>

/** Ids become a part of a path. */
const plainId = /^(?!\.+$)[A-Za-z0-9._:~-]{1,256}$/

const idOf = Effect.fnUntraced(function* (answer: DownstreamAnswer, poll: PollSettings) {
  const what = "the answer to the task"
  const found = yield* pickFrom(yield* decodeJson(answer.body, what), poll.id, what)
  const id = typeof found === "number" ? String(found) : found
  if (typeof id !== "string" || !plainId.test(id)) return yield* passing(`${what} has no id at ${poll.id}`)
  return id
})

const pathOf = (path: string, id: string) => path.replaceAll("{id}", encodeURIComponent(id))

const reasonOf = (status: Schema.Json, { error }: PollSettings) => {
  const reason = error === undefined ? undefined : valueAt(status, error)
  if (reason === undefined || reason === null) return ""
  return `: ${excerpt(typeof reason === "string" ? reason : JSON.stringify(reason))}`
}

interface Task {
  readonly poll: PollSettings
  readonly send: Send
  readonly headers: Readonly<Record<string, string>>
  readonly tasks: Tasks
  readonly key: string
}

/** Asks until the task is done; gives the last answer. */
const untilDone = Effect.fnUntraced(function* ({ headers, key, poll, send, tasks }: Task, id: string) {
  const what = "the status of the task"
  while (true) {
    const answer = yield* send({ method: "GET", path: pathOf(poll.path, id), headers })
    const value = yield* decodeJson(answer.body, what)
    const status = yield* pickText(value, poll.status, what)
    if (poll.done.includes(status)) return answer
    if (poll.failed.includes(status)) {
      tasks.ended(key)
      return yield* final(`the far side failed to do the task (${excerpt(status, 40)})${reasonOf(value, poll)}`)
    }
    yield* Effect.sleep(poll.every)
  }
})

const resultOf = Effect.fnUntraced(function* (task: Task, id: string) {
  const { headers, key, poll, send, tasks } = task
  const last = yield* untilDone(task, id)
  const answer =
    poll.result === undefined ? last : yield* send({ method: "GET", path: pathOf(poll.result, id), headers })
  tasks.ended(key)
  return answer
})

/** Submits the task, unless it was taken before, and waits for its result. */
export const runTask = Effect.fnUntraced(function* <E, R>(task: Task, submit: Effect.Effect<DownstreamAnswer, E, R>) {
  const { key, poll, tasks } = task
  const submitted = Effect.gen(function* () {
    const id = yield* idOf(yield* submit, poll)
    tasks.taken(key, id)
    return yield* resultOf(task, id)
  })
  const known = tasks.find(key)
  if (known === undefined) return yield* submitted
  // The far side may have forgotten it meanwhile.
  return yield* resultOf(task, known).pipe(
    Effect.catchIf(
      (error) => error._tag === "DownstreamRejected" && (error.status === 404 || error.status === 410),
      () => {
        tasks.ended(key)
        return submitted
      }
    )
  )
})

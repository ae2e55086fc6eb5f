// A far side that answers as docling-serve does (its API of version 1): tasks are submitted, polled, and their results fetched once.
import type { IncomingMessage, ServerResponse } from "node:http"

interface Task {
  polls: number
  readonly filename: string
  readonly bytes: Buffer
}

const json = (response: ServerResponse, status: number, value: unknown) =>
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value))

interface Request {
  readonly options?: { readonly to_formats?: ReadonlyArray<string> }
  readonly sources?: ReadonlyArray<{
    readonly kind?: string
    readonly base64_string?: string
    readonly filename?: string
  }>
  readonly target?: { readonly kind?: string }
}

/** What it makes of a file. `undefined`: the task fails. */
export type Convert = (bytes: Buffer, filename: string) => string | undefined

export class Docling {
  readonly #tasks = new Map<string, Task>()
  readonly #convert: Convert
  /** After so many polls a task is done. */
  pollsUntilDone: number
  readonly #apiKey: string | undefined
  submitted = 0
  polled = 0
  fetched = 0
  /** Bodies that it refused, since they are not as its API says. */
  readonly refused: Array<string> = []

  constructor(
    convert: Convert,
    { apiKey, pollsUntilDone = 2 }: { readonly apiKey?: string; readonly pollsUntilDone?: number } = {}
  ) {
    this.#convert = convert
    this.pollsUntilDone = pollsUntilDone
    this.#apiKey = apiKey
  }

  /** Forgets all tasks, as after a restart. */
  forget(): void {
    this.#tasks.clear()
  }

  readonly handle = (request: IncomingMessage, response: ServerResponse): void => {
    const parts: Array<Buffer> = []
    request.on("data", (part: Buffer) => parts.push(part))
    request.on("end", () => this.#answer(request, Buffer.concat(parts).toString(), response))
  }

  #answer({ headers, method = "", url = "" }: IncomingMessage, body: string, response: ServerResponse): unknown {
    if (this.#apiKey !== undefined && headers["x-api-key"] !== this.#apiKey) {
      return json(response, 401, { detail: "Api key is required." })
    }
    const [, kind, id = ""] = /^\/v1\/(status\/poll|result)\/([^/?]+)(?:\?wait=[0-9.]+)?$/.exec(url) ?? []
    if (method === "POST" && url === "/v1/convert/source/async") return this.#submit(body, response)
    if (method !== "GET" || kind === undefined) return json(response, 404, { detail: "Not Found" })
    const task = this.#tasks.get(id)
    if (task === undefined) return json(response, 404, { detail: "Task not found." })
    return kind === "result" ? this.#result(id, task, response) : this.#poll(id, task, response)
  }

  #submit(body: string, response: ServerResponse) {
    const { options, sources = [], target }: Request = JSON.parse(body)
    const [source] = sources
    const isRight =
      sources.length === 1 &&
      source?.kind === "file" &&
      typeof source.base64_string === "string" &&
      typeof source.filename === "string" &&
      target?.kind === "inbody" &&
      Array.isArray(options?.to_formats)
    if (!isRight) {
      this.refused.push(body.slice(0, 300))
      return json(response, 422, { detail: [{ loc: ["body"], msg: "Field required" }] })
    }
    const id = `task-${++this.submitted}`
    this.#tasks.set(id, {
      polls: 0,
      filename: source.filename ?? "",
      bytes: Buffer.from(source.base64_string ?? "", "base64")
    })
    return json(response, 200, this.#state(id, "pending"))
  }

  #state(id: string, status: string, message: string | null = null) {
    return {
      task_id: id,
      task_type: "convert",
      task_status: status,
      task_position: status === "pending" ? 1 : null,
      task_meta: null,
      error_message: message
    }
  }

  #poll(id: string, task: Task, response: ServerResponse) {
    this.polled++
    if (++task.polls < this.pollsUntilDone) return json(response, 200, this.#state(id, "started"))
    const made = this.#convert(task.bytes, task.filename)
    return made === undefined
      ? json(response, 200, this.#state(id, "failure", "Conversion failed: the layout model ran out of memory"))
      : json(response, 200, this.#state(id, "success"))
  }

  #result(id: string, task: Task, response: ServerResponse) {
    if (task.polls < this.pollsUntilDone) {
      return json(response, 404, { detail: "Task result not found. Please wait for a completion status." })
    }
    this.fetched++
    this.#tasks.delete(id)
    const made = this.#convert(task.bytes, task.filename) ?? ""
    return json(response, 200, {
      document: {
        filename: task.filename,
        md_content: made,
        json_content: null,
        html_content: null,
        text_content: made.replaceAll(/[#*|]/g, "").trim(),
        doctags_content: null
      },
      status: made === "" ? "failure" : "success",
      errors: [],
      processing_time: 0.2,
      timings: {}
    })
  }
}

// Talks to a service over a few kept connections, at as little cost to the machine as Node allows.
import { Agent, request } from "node:http"
import { Effect, Schema } from "effect"

interface Asked {
  readonly method?: "GET" | "POST" | "PATCH" | "DELETE"
  readonly path: string
  readonly tenant?: string
  readonly type?: string
  readonly body?: Uint8Array | string
}

interface Answered {
  readonly status: number
  readonly text: string
}

export interface Client {
  /** Dies when it is refused. */
  readonly decode: <A>(schema: Schema.Decoder<A>, asked: Asked, status?: number) => Effect.Effect<A>
  /** Without looking at the answer's text. */
  readonly discard: (asked: Asked) => Effect.Effect<number>
}

export const makeClient = (url: string, connections: number) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => new Agent({ keepAlive: true, maxSockets: connections })),
      (agent) => Effect.sync(() => agent.destroy())
    ),
    (agent): Client => {
      const send = ({ body, method = "GET", path, tenant = "bench", type }: Asked, keep: boolean) =>
        Effect.callback<Answered>((resume) => {
          const headers = { "x-tenant-id": tenant, ...(type === undefined ? {} : { "content-type": type }) }
          const sent = request(`${url}${path}`, { agent, method, headers }, (response) => {
            const chunks: Array<Buffer> = []
            response.on("data", (chunk: Buffer) => keep && chunks.push(chunk))
            response.on("end", () => {
              const text = Buffer.concat(chunks).toString()
              resume(Effect.succeed({ status: response.statusCode ?? 0, text }))
            })
          })
          sent.on("error", (error) => resume(Effect.die(error)))
          sent.end(body)
        })
      return {
        discard: (asked) => Effect.map(send(asked, false), ({ status }) => status),
        decode: Effect.fnUntraced(function* (schema, asked, expected = 200) {
          const { status, text } = yield* send(asked, true)
          if (status !== expected) {
            return yield* Effect.die(`${asked.method ?? "GET"} ${asked.path}: ${status} ${text.slice(0, 300)}`)
          }
          return yield* Effect.orDie(Schema.decodeUnknownEffect(Schema.fromJsonString(schema))(text))
        })
      }
    }
  )

const Accepted = Schema.Struct({ documents: Schema.Tuple([Schema.Struct({ id: Schema.String })]) })

/** The id of the document made of the file, whether the service had it before or not. */
export const upload = (client: Client, tenant: string, body: Uint8Array) =>
  Effect.map(
    client.decode(
      Accepted,
      { method: "POST", path: "/v1/documents?force=true", tenant, type: "application/pdf", body },
      202
    ),
    ({ documents }) => documents[0].id
  )

const QueueStatus = Schema.Struct({
  queue_size: Schema.Number,
  processing: Schema.Number,
  total_processed: Schema.Number,
  total_failed: Schema.Number
})

/** Of all tenants. */
export const queueStatus = (client: Client) => client.decode(QueueStatus, { path: "/queue/status?scope=all" })

// Stands before an S3 server and does something wrong to as many requests as it is told.
import { Agent, createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http"
import { Effect } from "effect"
import { accessOf } from "./Swift.ts"

export type Fault =
  /** 503 with a Retry-After of one second. */
  | "busy"
  /** The connection is reset in the middle of the body, of the answer if it has one. */
  | "reset"
  /** The first byte of the answer's body is another. */
  | "wrong bytes"
  /** There is no answer, and the connection stays. */
  | "silent"
  /** The request is held up for three seconds. */
  | "late"

/** Ends with the scope. Requests keep their Host, so that their signatures hold. */
export const startFaultyProxy = Effect.fnUntraced(function* (target: string) {
  const faults: Array<Fault> = []
  let isAway = false
  const agent = new Agent({ keepAlive: false })

  const forward = (request: IncomingMessage, response: ServerResponse, fault: Fault | undefined) => {
    const { hostname, port } = new URL(target)
    const onward = httpRequest(
      { hostname, port, agent, method: request.method ?? "GET", path: request.url ?? "/", headers: request.headers },
      (answer) => {
        if (fault === undefined) {
          response.writeHead(answer.statusCode ?? 500, answer.headers)
          answer.pipe(response)
          return
        }
        const chunks: Array<Buffer> = []
        answer.on("data", (chunk: Buffer) => chunks.push(chunk))
        answer.on("end", () => {
          const body = Buffer.concat(chunks)
          response.writeHead(answer.statusCode ?? 500, answer.headers)
          if (fault === "wrong bytes") {
            if (body.length > 0) body[0] = (body[0] ?? 0) ^ 1
            response.end(body)
          } else {
            response.write(body.subarray(0, body.length / 2), () => request.socket.resetAndDestroy())
          }
        })
      }
    )
    onward.on("error", () => request.socket.destroy())
    request.pipe(onward)
  }

  const server = createServer((request, response) => {
    if (isAway) return request.socket.resetAndDestroy()
    const fault = faults.shift()
    switch (fault) {
      case "busy":
        response.writeHead(503, { "retry-after": "1" })
        return response.end("<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>")
      case "silent":
        return
      case "late":
        return setTimeout(() => forward(request, response, undefined), 3_000)
      default:
        return forward(request, response, fault)
    }
  })
  const port = yield* Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
      })
    }),
    () =>
      Effect.sync(() => {
        server.closeAllConnections()
        server.close()
        agent.destroy()
      })
  )
  const url = `http://127.0.0.1:${port}`
  return {
    url,
    access: accessOf(url),
    /** What happens to the next requests, one each. */
    next: (...wrong: ReadonlyArray<Fault>) => Effect.sync(() => void faults.push(...wrong)),
    left: Effect.sync(() => faults.length),
    /** While it is away, every connection is reset. */
    away: (away: boolean) => Effect.sync(() => void (isAway = away))
  }
})

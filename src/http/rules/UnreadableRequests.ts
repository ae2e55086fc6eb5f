import type { Duplex } from "node:stream"

/** Answers requests that node's parser could not read: they reach no route, so nothing else answers them. */

interface Refusal {
  readonly status: number
  readonly title: string
  readonly code: string
  readonly detail: string
}

const malformed: Refusal = {
  status: 400,
  title: "Bad Request",
  code: "MALFORMED_REQUEST",
  detail: "what was sent is no HTTP/1.1 request"
}

const refusals: Readonly<Record<string, Refusal>> = {
  HPE_HEADER_OVERFLOW: {
    status: 431,
    title: "Request Header Fields Too Large",
    code: "HEAD_TOO_LARGE",
    detail: "the URL and the headers together are larger than a request may have them"
  },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: {
    status: 413,
    title: "Content Too Large",
    code: "BODY_TOO_LARGE",
    detail: "the extensions of the body's chunks are too large"
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    title: "Request Timeout",
    code: "REQUEST_TIMEOUT",
    detail: "the request did not come to its end in time"
  }
}

/** The raw answer as written to the connection, which closes after it. */
export const unreadableAnswer = (errorCode: string | undefined): string => {
  const { status, title, ...problem } = refusals[errorCode ?? ""] ?? malformed
  const body = JSON.stringify({ type: "about:blank", title, status, ...problem })
  return [
    `HTTP/1.1 ${status} ${title}`,
    "Content-Type: application/problem+json",
    `Content-Length: ${Buffer.byteLength(body)}`,
    "Cache-Control: no-store",
    "X-Content-Type-Options: nosniff",
    "Connection: close",
    "",
    body
  ].join("\r\n")
}

/** Whether an answer is being sent over the connection. Node exposes this only in a private field. */
const hasAnswer = (socket: Duplex): boolean => Object(Reflect.get(socket, "_httpMessage"))._headerSent === true

/** Handles node's event `clientError`. Writes nothing into the middle of an answer that is being sent. */
export const answerUnreadable = (error: NodeJS.ErrnoException, socket: Duplex): void => {
  if (!socket.writable || error.code === "ECONNRESET" || hasAnswer(socket)) socket.destroy()
  else socket.end(unreadableAnswer(error.code), () => socket.destroy())
}

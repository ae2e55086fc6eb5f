import { Clock, Duration, Effect, Schedule, Stream } from "effect"
import type { HttpClientResponse } from "effect/http"
import { parseHttpDate, retryAfterMillis } from "../../domain/net/HttpDate.ts"
import { element, isExpired, reasonOf } from "./Answers.ts"
import { S3Failed, S3NotFound, type S3Reason } from "./S3Error.ts"
import type { S3Access } from "./S3Settings.ts"
import { type Call, failure, makeSend, noAnswer } from "./Send.ts"

// Calls with their answers: what a refusal means, how long an answer may take, and when a call is tried again.

/** A call is tried so often in all, with jitter between; a server that asks for a wait gets it, up to `longestWait`. */
const mostTries = 4
const longestWait = Duration.seconds(10)

const retrySchedule = Schedule.exponential("200 millis").pipe(
  Schedule.jittered,
  Schedule.upTo({ times: mostTries - 1 }),
  Schedule.modifyDelay(({ duration, input }: Schedule.Metadata<unknown, unknown>) => {
    const asked = input instanceof S3Failed ? (input.retryAfterMillis ?? 0) : 0
    return Effect.succeed(Duration.max(duration, Duration.min(Duration.millis(asked), longestWait)))
  })
)

/** Tries again what failed with an `S3Failed` that may pass. */
export const retrying = <A, E, R>(call: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.retry(call, { schedule: retrySchedule, while: (error) => error instanceof S3Failed && error.isPassing })

/** Slower than this, a body counts as stuck: its time is the call's and that of its bytes. */
const leastBytesPerSecond = 64 * 1024
const bytesTime = (bytes: number) => Duration.seconds(bytes / leastBytesPerSecond)

/** Errors and lists are read up to here. */
const mostTextBytes = 4 * 1024 * 1024

const readText = (response: Pick<HttpClientResponse.HttpClientResponse, "stream">) => {
  let size = 0
  return response.stream.pipe(
    Stream.takeWhile((chunk) => (size += chunk.length) <= mostTextBytes),
    Stream.decodeText(),
    Stream.mkString
  )
}

export const sizeOf = (bucket: string, operation: string, { headers }: HttpClientResponse.HttpClientResponse) => {
  const size = Number(headers["content-length"])
  return headers["content-length"] !== undefined && Number.isSafeInteger(size)
    ? Effect.succeed(size)
    : Effect.fail(failure(bucket, operation, "refused", "the server does not say how large the object is"))
}

/** How far the server's clock is from this one, to be added to a message. */
const apartBy = (date: string | undefined, now: number) => {
  const at = parseHttpDate(date ?? "", now)
  if (at === undefined) return ""
  const seconds = Math.round((at - now) / 1000)
  const apart = Duration.format(Duration.seconds(Math.abs(seconds)))
  return `, whose clock is ${apart} ${seconds > 0 ? "ahead" : "behind"}`
}

/** Says what a status that is not 2xx means. */
const refuse = Effect.fnUntraced(function* (
  bucket: string,
  { key, operation }: Call,
  response: HttpClientResponse.HttpClientResponse
) {
  const { headers, status } = response
  const text = yield* Effect.orElseSucceed(readText(response), () => "")
  const code = element(text, "Code")
  const message = element(text, "Message")
  if (status === 404 && code !== "NoSuchBucket") return yield* new S3NotFound({ key })
  const reason = isExpired(code, message) ? "too-late" : reasonOf(status, code)
  const now = yield* Clock.currentTimeMillis
  const said = [code, message].filter((part) => part !== undefined && part !== "").join(": ")
  const apart = reason === "clocks-apart" ? apartBy(headers["date"], now) : ""
  const detail = `the server answered ${status}${said === "" ? "" : ` (${said.slice(0, 200)})`}${apart}`
  return yield* failure(bucket, operation, reason, detail, retryAfterMillis(headers["retry-after"], now))
})

export const makeCalls = Effect.fnUntraced(function* (access: S3Access, name: string, how: "again" | "once") {
  const send = yield* makeSend(access, name)
  const again = <A, E, R>(call: Effect.Effect<A, E, R>) => (how === "once" ? call : retrying(call))
  const failed = (operation: string, reason: S3Reason, detail: string) => failure(name, operation, reason, detail)

  /** Bounds the time of a whole call. */
  const within = (operation: string, bytes: number) => {
    const most = Duration.sum(access.timeout, bytesTime(bytes))
    return Effect.timeoutOrElse({
      duration: most,
      orElse: () => Effect.fail(failed(operation, "unreachable", `there is no answer within ${Duration.format(most)}`))
    })
  }

  /** A refusal of HEAD has no body that would tell why, so the same is asked with GET. */
  const explain = (call: Call, response: HttpClientResponse.HttpClientResponse) =>
    call.method === "HEAD"
      ? Effect.flatMap(send({ ...call, method: "GET" }), (got) => refuse(name, call, got.status < 300 ? response : got))
      : refuse(name, call, response)

  /** The answer, with its body still to come. */
  const answered = Effect.fnUntraced(function* (call: Call) {
    const response = yield* send(call)
    return response.status >= 200 && response.status < 300 ? response : yield* explain(call, response)
  })

  /** The whole answer, as text. */
  const asText = (call: Call) =>
    answered(call).pipe(
      Effect.flatMap((response) => Effect.mapError(readText(response), noAnswer(name, call.operation))),
      within(call.operation, call.bytes?.size ?? 0),
      again
    )

  return { answered, asText, within, again, failed }
})

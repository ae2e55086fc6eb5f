// Tenants that upload all the time, through whichever runner, and through another one when that does not answer.
import { Effect, Schedule } from "effect"
import { isTerminal } from "../../../src/domain/document/Document.ts"
import { type Client, Refused, type Unanswered } from "../client.ts"
import { between, longUpload, makeRandom, nextUpload, type Random, type Upload } from "../workload.ts"

export interface Uploads {
  /** All that were sent, by name. Each has an idempotency key, so one of them makes one document, however often it is sent. */
  readonly attempted: Map<string, Upload>
  /** Those that were answered with 202, by the id of the document. */
  readonly acknowledged: Map<string, Upload>
  /** Answers that no trouble explains. */
  readonly wrongAnswers: Array<string>
  /** How often an upload was sent again. */
  sentAgain: number
}

export const makeUploads = (): Uploads => ({
  attempted: new Map(),
  acknowledged: new Map(),
  wrongAnswers: [],
  sentAgain: 0
})

const patience = "12 seconds"
const mostTries = 60
/** Of the uploads, those that pause half-way, so that troubles meet them. */
const slowShare = 0.3

type Failure = Refused | Unanswered | { readonly _tag: "TimeoutError" }

/** Worth another try: no answer, a service that is not there now, or the same request still under way. */
const mayPass = (failure: Failure): boolean =>
  !(failure instanceof Refused) || failure.status >= 500 || failure.status === 429 || failure.status === 409

/** Sends one upload until it is acknowledged. */
export const send = Effect.fnUntraced(function* (
  uploads: Uploads,
  anyRunner: () => Client,
  upload: Upload,
  pauseMillis = 0
) {
  uploads.attempted.set(upload.name, upload)
  for (let tries = 0; tries < mostTries; tries++) {
    const sent = yield* anyRunner()
      .upload(upload, { pauseMillis, idempotencyKey: upload.name })
      .pipe(Effect.timeout(patience), Effect.result)
    if (sent._tag === "Success") {
      uploads.acknowledged.set(sent.success, upload)
      return sent.success
    }
    if (!mayPass(sent.failure)) {
      const { body, status } = sent.failure instanceof Refused ? sent.failure : { body: "", status: 0 }
      uploads.wrongAnswers.push(`${upload.name}: ${status} ${body}`)
      return undefined
    }
    uploads.sentAgain++
    yield* Effect.sleep("500 millis")
  }
  return undefined
})

/** One tenant, without end; it pauses while more than so many documents wait. */
export const uploadAll = Effect.fnUntraced(function* (
  uploads: Uploads,
  anyRunner: () => Client,
  tenant: string,
  seed: number,
  mostWaiting: number
) {
  const random: Random = makeRandom(seed)
  for (let number = 1; ; number++) {
    yield* Effect.sleep(between(random, 20, 400))
    const queue = yield* anyRunner().queue.pipe(Effect.timeout("2 seconds"), Effect.option)
    if (queue._tag === "None" || queue.value.queue_size > mostWaiting) continue
    const upload = nextUpload(random, tenant, `${tenant}-${number}.pdf`)
    yield* send(uploads, anyRunner, upload, random() < slowShare ? between(random, 50, 1_500) : 0)
  }
})

/** One long document of the tenant after another, so that a trouble finds something under way. */
export const uploadLong = Effect.fnUntraced(function* (uploads: Uploads, anyRunner: () => Client, tenant: string) {
  for (let number = 1; ; number++) {
    const id = yield* send(uploads, anyRunner, longUpload(tenant, `${tenant}-long-${number}.pdf`))
    if (id === undefined) continue
    yield* Effect.suspend(() => anyRunner().document(tenant, id)).pipe(
      Effect.timeout("2 seconds"),
      Effect.option,
      Effect.repeat({
        until: (found) => found._tag === "Some" && isTerminal(found.value.status),
        schedule: Schedule.spaced("1 second")
      })
    )
  }
})

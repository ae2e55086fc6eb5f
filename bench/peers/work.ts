// The one client of all subjects: it uploads, waits for the end, and reads every page back.
import { createHash } from "node:crypto"
import { Duration, Effect, Schema } from "effect"
import type { Subject } from "./subjects.ts"

export interface Upload {
  readonly tenant: string
  readonly bytes: Uint8Array
  /** A peer splits documents of more pages among its workers. */
  readonly pagesPerJob: number
}

const uploadsAtOnce = 16
const pagesAtOnce = 500

const ask = <A>(schema: Schema.Decoder<A>, url: string, init: RequestInit, status = 200) =>
  Effect.promise(async () => {
    const response = await fetch(url, init)
    const text = await response.text()
    if (response.status !== status) throw new Error(`${url} answered ${response.status}: ${text.slice(0, 500)}`)
    return text
  }).pipe(Effect.flatMap((text) => Effect.orDie(Schema.decodeUnknownEffect(Schema.fromJsonString(schema))(text))))

const Accepted = Schema.Struct({ documents: Schema.Tuple([Schema.Struct({ id: Schema.String })]) })

const upload = Effect.fnUntraced(function* ({ isPeer, url }: Subject, { bytes, pagesPerJob, tenant }: Upload) {
  const headers = { "content-type": "application/pdf", "x-tenant-id": tenant }
  // Sluice makes no second document of the same bytes unless it is told to.
  const query = isPeer ? `?pagesPerJob=${pagesPerJob}` : "?force=true"
  const body = bytes.slice()
  const answer = yield* ask(Accepted, `${url}/v1/documents${query}`, { method: "POST", headers, body }, 202)
  return answer.documents[0].id
})

const QueueStatus = Schema.Struct({
  queue_size: Schema.Number,
  total_processed: Schema.Number,
  total_failed: Schema.Number
})

export const queueStatus = ({ url }: Subject) =>
  ask(QueueStatus, `${url}/queue/status?scope=all`, { headers: { "x-tenant-id": "bench" } })

/** Uploads everything and waits until all of it has its results. The seconds from the first byte on, and the ids. */
export const process = Effect.fnUntraced(function* (subject: Subject, uploads: ReadonlyArray<Upload>) {
  const before = yield* queueStatus(subject)
  const run = Effect.gen(function* () {
    const ids = yield* Effect.forEach(uploads, (each) => upload(subject, each), { concurrency: uploadsAtOnce })
    while ((yield* queueStatus(subject)).total_processed < before.total_processed + uploads.length) {
      yield* Effect.sleep("20 millis")
    }
    return ids
  })
  const [took, ids] = yield* Effect.timed(run)
  const after = yield* queueStatus(subject)
  if (after.total_failed > before.total_failed) return yield* Effect.die(`${subject.name} failed to read documents`)
  return { seconds: Duration.toSeconds(took), ids }
})

const Page = Schema.Struct({
  number: Schema.Number,
  status: Schema.String,
  text: Schema.String,
  width: Schema.Number,
  height: Schema.Number,
  // The peers store lines in the encoded form and show them so.
  lines: Schema.Union([Schema.Array(Schema.Unknown), Schema.fromJsonString(Schema.Array(Schema.Unknown))])
})

const PageList = Schema.Struct({ pages: Schema.Array(Page) })
const Status = Schema.Struct({ status: Schema.String, progress: Schema.Struct({ pages: Schema.Number }) })

/** The number of a document's pages and a digest of all that was found on them, read over HTTP. */
const digestOf = Effect.fnUntraced(function* ({ name, url }: Subject, tenant: string, id: string) {
  const headers = { "x-tenant-id": tenant }
  const { progress, status } = yield* ask(Status, `${url}/v1/documents/${id}`, { headers })
  if (status !== "completed") return yield* Effect.die(`${name} left a document ${status}`)
  const digest = createHash("sha256")
  let count = 0
  while (count < progress.pages) {
    const part = `?from=${count + 1}&limit=${pagesAtOnce}&detail=lines`
    const { pages } = yield* ask(PageList, `${url}/v1/documents/${id}/pages${part}`, { headers })
    for (const { height, lines, number, status, text, width } of pages) {
      if (number !== ++count) return yield* Effect.die(`${name} lacks page ${count} of ${progress.pages}`)
      digest.update(JSON.stringify([number, status, width, height, text, lines]))
    }
    if (pages.length === 0) return yield* Effect.die(`${name} lacks the pages after ${count} of ${progress.pages}`)
  }
  return { pages: count, digest: digest.digest("hex") }
})

/** Pages in all and one digest of everything, in the order of the uploads. */
export const audit = Effect.fnUntraced(function* (
  subject: Subject,
  uploads: ReadonlyArray<Upload>,
  ids: ReadonlyArray<string>
) {
  const found = yield* Effect.forEach(uploads, ({ tenant }, index) => digestOf(subject, tenant, ids[index] ?? ""), {
    concurrency: 4
  })
  const all = createHash("sha256")
  for (const { digest } of found) all.update(digest)
  return { pages: found.reduce((sum, { pages }) => sum + pages, 0), digest: all.digest("hex") }
})

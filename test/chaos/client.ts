// The interface as the tenants use it.
import { Data, Effect, Schema } from "effect"
import { DocumentList, DocumentView, PageList } from "../../src/http/api/views/DocumentView.ts"
import { QueueStatusView } from "../../src/http/api/Queue.ts"
import { setTimeout as delay } from "node:timers/promises"
import type { Upload } from "./workload.ts"

/** No answer: the server was down, or died meanwhile. */
export class Unanswered extends Data.TaggedError("Unanswered")<{ readonly cause: unknown }> {}
/** An answer that is not the one that was hoped for. */
export class Refused extends Data.TaggedError("Refused")<{ readonly status: number; readonly body: string }> {}

export type View = typeof DocumentView.Type
export type PageAnswer = (typeof PageList.Type)["pages"][number]

const Accepted = Schema.Struct({ documents: Schema.NonEmptyArray(Schema.Struct({ id: Schema.String })) })

const requestTimeout = 180_000

const inHalves = (bytes: Uint8Array, pauseMillis: number) =>
  new ReadableStream<Uint8Array>({
    start: async (controller) => {
      const half = Math.floor(bytes.length / 2)
      controller.enqueue(bytes.slice(0, half))
      await delay(pauseMillis)
      controller.enqueue(bytes.slice(half))
      controller.close()
    }
  })

export const makeClient = (url: string) => {
  const ask = (tenant: string, path: string, init: RequestInit = {}) =>
    Effect.tryPromise({
      try: async (signal) => {
        const response = await fetch(`${url}${path}`, {
          ...init,
          headers: { "x-tenant-id": tenant, ...init.headers },
          signal: AbortSignal.any([signal, AbortSignal.timeout(requestTimeout)])
        })
        return { status: response.status, body: await response.text() }
      },
      catch: (cause) => new Unanswered({ cause })
    })

  const read = <S extends Schema.ConstraintDecoder<unknown>>(schema: S) => {
    const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(schema))
    return (tenant: string, path: string, init?: RequestInit) =>
      Effect.flatMap(ask(tenant, path, init), ({ body, status }) =>
        status >= 300 ? Effect.fail(new Refused({ status, body })) : Effect.orDie(decode(body))
      )
  }

  const readAccepted = read(Accepted)
  const readDocument = read(DocumentView)
  const readDocuments = read(DocumentList)
  const readPages = read(PageList)
  const readQueue = read(QueueStatusView)

  return {
    ask,
    /** With a pause half-way through the bytes, if one is given. */
    upload: (
      { bytes, name, password, tenant }: Upload,
      { idempotencyKey, pauseMillis = 0 }: { readonly idempotencyKey?: string; readonly pauseMillis?: number } = {}
    ) =>
      Effect.map(
        readAccepted(tenant, `/v1/documents?name=${encodeURIComponent(name)}`, {
          method: "POST",
          headers: {
            "content-type": "application/pdf",
            ...(password === undefined ? {} : { "x-pdf-password": password }),
            ...(idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey })
          },
          body: inHalves(bytes, pauseMillis),
          duplex: "half"
        }),
        ({ documents }) => documents[0].id
      ),
    document: (tenant: string, id: string) => readDocument(tenant, `/v1/documents/${id}`),
    documents: Effect.fnUntraced(function* (tenant: string) {
      const found: Array<View> = []
      for (let cursor: string | undefined = ""; cursor !== undefined;) {
        const part: typeof DocumentList.Type = yield* readDocuments(
          tenant,
          `/v1/documents?limit=100${cursor === "" ? "" : `&cursor=${cursor}`}`
        )
        found.push(...part.documents)
        cursor = part.nextCursor
      }
      return found
    }),
    pages: Effect.fnUntraced(function* (tenant: string, id: string) {
      const found: Array<PageAnswer> = []
      for (let from: number | undefined = 1; from !== undefined;) {
        const part: typeof PageList.Type = yield* readPages(tenant, `/v1/documents/${id}/pages?limit=500&from=${from}`)
        found.push(...part.pages)
        from = part.next
      }
      return found
    }),
    queue: readQueue("default", "/queue/status?scope=all")
  }
}
export type Client = ReturnType<typeof makeClient>

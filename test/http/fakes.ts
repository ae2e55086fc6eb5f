import { Context, DateTime, Effect, Latch, Layer, Option, Queue, Ref, Result, Stream } from "effect"
import { SecureRandom } from "effect/crypto"
import { Search } from "../../src/actors/search/SearchProtocol.ts"
import type { Chunk } from "../../src/domain/chunk/Chunk.ts"
import {
  type DrawOptions,
  Ingestion,
  LimitReached,
  StageUnknown,
  type SubmitError,
  type SubmitOptions,
  SubmissionRejected
} from "../../src/actors/Ingestion.ts"
import { Document, isTerminal } from "../../src/domain/document/Document.ts"
import { Pipelines } from "../../src/services/pipelines/Pipelines.ts"
import { failure } from "../../src/domain/Failure.ts"
import { DocumentId, type TenantId } from "../../src/domain/Ids.ts"
import type { PageResult } from "../../src/domain/document/Page.ts"
import { NoImages } from "../../src/actors/renderings/DrawPage.ts"
import type { DownstreamFailure } from "../../src/services/downstreams/Downstreams.ts"
import type { PageImage, PageImageError } from "../../src/services/PageImages.ts"
import type { PdfUnreadable } from "../../src/services/PdfEngine.ts"
import type { Artifact } from "../../src/domain/pipeline/Artifact.ts"
import * as ApiKeysMemory from "../../src/services/apiKeys/ApiKeysMemory.ts"
import type { StageName, StageVersion } from "../../src/domain/pipeline/Pipeline.ts"
import { DocumentNotFound, NotRetryable, StoreUnavailable } from "../../src/services/store/StoreErrors.ts"
import * as StoreMemory from "../../src/services/store/memory/StoreMemory.ts"
import { PdfEngine } from "../../src/services/PdfEngine.ts"
import * as SecretsMemory from "../../src/services/secrets/SecretsMemory.ts"
import { downstreamsLayer } from "../support/downstreams.ts"
import { Webhooks } from "../../src/actors/webhooks/Webhooks.ts"

type Options = Omit<SubmitOptions, "name"> & { readonly name?: string | undefined }

export interface Submission {
  readonly tenant: TenantId
  readonly options: Options
  /** Sizes of what arrived, in order. */
  readonly chunks: ReadonlyArray<number>
  readonly source?: string
}

/** An artifact and its content. */
export interface Made {
  readonly artifact: Artifact
  readonly content?: Uint8Array
}

interface State {
  readonly documents: ReadonlyMap<DocumentId, Document>
  readonly pages: ReadonlyMap<DocumentId, ReadonlyArray<PageResult>>
  /** In the order of the list. */
  readonly artifacts: ReadonlyMap<DocumentId, ReadonlyArray<Made>>
  /** What every page is drawn as, or why it is not. `waits`: its turn never comes. */
  readonly drawing: Result.Result<PageImage, NoImages | PageImageError | PdfUnreadable | DownstreamFailure> | "waits"
  readonly drawn: ReadonlyArray<DrawOptions>
  readonly submissions: ReadonlyArray<Submission>
  /** What was to be done again, and how much of it has room. */
  readonly requeued: ReadonlyArray<{ id: DocumentId; stage?: StageName; version?: StageVersion | undefined }>
  readonly room: number
  readonly refuse: SubmitError | undefined
  readonly storeWorks: boolean
  readonly workers: number
  readonly unavailable?: string
  readonly defect: boolean
  readonly accepting: boolean
  readonly paused: boolean
}

/** An engine of maps: what was submitted can be seen, and how it behaves can be set. */
export class Fake extends Context.Service<
  Fake,
  {
    readonly state: Ref.Ref<State>
    /** One value per chunk that arrived. */
    readonly arrivals: Queue.Queue<number>
    /** While it is closed, no chunk is taken. */
    readonly gate: Latch.Latch
  }
>()("sluice/test/http/Fake") {}

const limits = { documents: 2, weight: 1, backlog: 100, pages: 6, rate: undefined, burst: 1 }

export const uploadLimit = 32 * 1024 * 1024

/** Sources that the fake does not accept begin so. */
export const badSource = "bad:"

export const idOf = (n: number) => DocumentId.make(`01890000-0000-7000-8000-${n.toString(16).padStart(12, "0")}`)

export const change = (patch: Partial<State>) =>
  Fake.use(({ state }) => Ref.update(state, (now) => ({ ...now, ...patch })))

export const inspect = Fake.use(({ state }) => Ref.get(state))

/** Changes a document behind the interface's back. */
export const alter = (id: DocumentId, patch: Partial<Document>) =>
  Fake.use(({ state }) =>
    Ref.update(state, (now) => {
      const document = now.documents.get(id)
      if (document === undefined) return now
      return { ...now, documents: new Map(now.documents).set(id, new Document({ ...document, ...patch })) }
    })
  )

const fake = Layer.effect(
  Fake,
  Effect.gen(function* () {
    const state = yield* Ref.make<State>({
      documents: new Map(),
      pages: new Map(),
      artifacts: new Map(),
      drawing: Result.fail(new NoImages({ why: "off" })),
      drawn: [],
      requeued: [],
      room: 1_000,
      submissions: [],
      refuse: undefined,
      storeWorks: true,
      workers: 1,
      defect: false,
      accepting: true,
      paused: false
    })
    return { state, arrivals: yield* Queue.unbounded<number>(), gate: yield* Latch.make(true) }
  })
)

const ingestion = Layer.effect(
  Ingestion,
  Effect.gen(function* () {
    const { arrivals, gate, state } = yield* Fake
    const pipelines = yield* Pipelines

    const checked = Effect.gen(function* () {
      const now = yield* Ref.get(state)
      if (now.defect) return yield* Effect.die(new Error("a defect with a secret inside"))
      if (!now.storeWorks) return yield* new StoreUnavailable({ operation: "read", cause: new Error("disk on fire") })
      return now
    })
    const find = Effect.fnUntraced(function* (tenant: TenantId, id: DocumentId) {
      const { documents } = yield* checked
      const document = documents.get(id)
      if (document?.tenantId !== tenant) return yield* new DocumentNotFound({ documentId: id })
      return document
    })
    const record = (submission: Submission) =>
      Ref.update(state, (now) => ({ ...now, submissions: [...now.submissions, submission] }))
    const accept = (tenantId: TenantId, name: string, options: Options) =>
      Effect.flatMap(DateTime.now, (acceptedAt) =>
        Ref.modify(state, (now) => {
          const document = new Document({
            id: idOf(now.submissions.length),
            tenantId,
            name,
            priority: options.priority ?? 5,
            ...(options.pipeline === undefined ? {} : { pipeline: options.pipeline }),
            status: options.notBefore === undefined ? "queued" : "scheduled",
            attempt: 0,
            progress: { done: 0, failed: 0 },
            timings: { acceptedAt }
          })
          return [document, { ...now, documents: new Map(now.documents).set(document.id, document) }]
        })
      )
    const refused = Effect.flatMap(Ref.get(state), ({ refuse }) =>
      refuse === undefined ? Effect.void : Effect.fail(refuse)
    )
    const made = (tenant: TenantId, id: DocumentId) =>
      Effect.andThen(
        find(tenant, id),
        Effect.map(Ref.get(state), ({ artifacts }) => artifacts.get(id) ?? [])
      )
    const placeOf = ({ page = 0, stage, version }: Pick<Artifact, "page" | "stage" | "version">) =>
      `${String(page).padStart(9, "0")} ${stage} ${version}`
    const notRetryable = ({ id, status }: Document) => new NotRetryable({ documentId: id, status, why: "status" })
    const remove = (id: DocumentId) =>
      Ref.update(state, (now) => {
        const documents = new Map(now.documents)
        documents.delete(id)
        return { ...now, documents }
      })

    return Ingestion.of({
      submit: (tenant, bytes, options) =>
        Effect.gen(function* () {
          yield* refused
          const chunks: Array<number> = []
          let head = ""
          let size = 0
          yield* Stream.runForEach(Stream.isStream(bytes) ? bytes : Stream.make(bytes), (chunk) =>
            Effect.gen(function* () {
              yield* gate.await
              if (head.length < 5) head += new TextDecoder("latin1").decode(chunk.subarray(0, 5))
              chunks.push(chunk.length)
              size += chunk.length
              yield* Queue.offer(arrivals, chunk.length)
              if (size > uploadLimit) {
                return yield* new SubmissionRejected({
                  failure: failure("TOO_LARGE", `more than ${uploadLimit} bytes`)
                })
              }
            })
          )
          if (!head.startsWith("%PDF-")) {
            return yield* new SubmissionRejected({ failure: failure("NOT_PDF", "there is no %PDF header") })
          }
          yield* record({ tenant, options, chunks })
          return yield* accept(tenant, options.name, options)
        }),
      submitSource: (tenant, source, options) =>
        Effect.gen(function* () {
          yield* refused
          if (source.startsWith(badSource)) {
            return yield* new SubmissionRejected({ failure: failure("SOURCE_REFUSED", "the source is not allowed") })
          }
          yield* record({ tenant, options, chunks: [], source })
          return yield* accept(tenant, options.name ?? source, options)
        }),
      status: find,
      find,
      list: (tenant, { before, limit, status }) =>
        Effect.map(checked, ({ documents }) =>
          [...documents.values()]
            .filter((document) => document.tenantId === tenant)
            .filter((document) => status === undefined || status.includes(document.status))
            .filter((document) => before === undefined || document.id < before)
            .toSorted((a, b) => (a.id < b.id ? 1 : -1))
            .slice(0, limit)
        ),
      pages: (tenant, id, { detail, from, limit, summary = false }) =>
        Effect.flatMap(find(tenant, id), () =>
          Effect.map(Ref.get(state), ({ pages }) =>
            (pages.get(id) ?? [])
              .filter((page) => page.number >= from)
              .slice(0, limit)
              .map((page) => (detail ? page : { ...page, lines: "[]", text: summary ? "" : page.text }))
          )
        ),
      text: (tenant, id) =>
        Effect.flatMap(find(tenant, id), () =>
          Effect.map(Ref.get(state), ({ pages }) => Stream.fromIterable((pages.get(id) ?? []).map(({ text }) => text)))
        ),
      chunks: (tenant, id) => Effect.as(find(tenant, id), Stream.empty),
      render: (tenant, id, { format }) =>
        Effect.flatMap(find(tenant, id), () =>
          Effect.map(Ref.get(state), ({ pages }) => ({
            withoutLayout: [[1, 2] as const],
            text:
              format === "json" ? Stream.make("{}") : Stream.fromIterable((pages.get(id) ?? []).map(({ text }) => text))
          }))
        ),
      rerunStage: (tenant, id, { stage, version }) =>
        Effect.gen(function* () {
          const document = yield* find(tenant, id)
          const { requeued, room } = yield* Ref.get(state)
          if (requeued.length >= room)
            return yield* new LimitReached({ limit: "tenant_queue", allowed: 1, retryAfterSeconds: 7 })
          if (document.pipeline === undefined) return yield* new StageUnknown({ stage, pipeline: "text" })
          if (!isTerminal(document.status)) return yield* notRetryable(document)
          yield* Ref.update(state, (now) => ({ ...now, requeued: [...now.requeued, { id, stage, version }] }))
          return document
        }),
      artifacts: (tenant, id, { after, limit, page, stage }) =>
        Effect.map(made(tenant, id), (all) =>
          all
            .map(({ artifact }) => artifact)
            .filter((artifact) => stage === undefined || artifact.stage === stage)
            .filter((artifact) => page === undefined || (artifact.page ?? 0) === page)
            .filter((artifact) => after === undefined || placeOf(artifact) > placeOf(after))
            .slice(0, limit)
        ),
      artifact: (tenant, id, { page, stage, version }) =>
        Effect.map(made(tenant, id), (all) => {
          const found = all.findLast(
            ({ artifact }) =>
              artifact.page === page &&
              artifact.stage === stage &&
              (version === undefined || artifact.version === version)
          )
          return Option.map(Option.fromUndefinedOr(found), ({ artifact, content }) => ({
            artifact,
            bytes: content === undefined ? undefined : Stream.make(content)
          }))
        }),
      image: (tenant, id, _page, options) =>
        Effect.gen(function* () {
          yield* find(tenant, id)
          const { drawing } = yield* Ref.updateAndGet(state, (now) => ({ ...now, drawn: [...now.drawn, options] }))
          return drawing === "waits" ? yield* Effect.never : yield* Effect.fromResult(drawing)
        }),
      cancel: (tenant, id) =>
        Effect.gen(function* () {
          const document = yield* find(tenant, id)
          if (isTerminal(document.status)) return document
          const cancelled = new Document({ ...document, status: "cancelled" })
          yield* Ref.update(state, (now) => ({ ...now, documents: new Map(now.documents).set(id, cancelled) }))
          return cancelled
        }),
      remove: (tenant, id) => Effect.andThen(find(tenant, id), remove(id)),
      withdraw: (_, id) => remove(id),
      pipelines,
      retry: (tenant, id) =>
        Effect.tap(find(tenant, id), () =>
          Ref.update(state, (now) => ({ ...now, requeued: [...now.requeued, { id }] }))
        ),
      pause: () => Effect.void,
      resume: () => Effect.void,
      setLimits: () => Effect.as(checked, limits),
      tenant: (tenantId) =>
        Effect.map(checked, ({ paused }) => ({
          tenantId,
          paused,
          limits,
          backlog: 0,
          running: 0,
          storedBytes: 0,
          share: { entitled: 1, received1m: 0, received15m: 0 },
          noisy: false,
          fairness: 1
        })),
      reserveKey: () => Effect.succeedNone,
      keepAnswer: () => Effect.void,
      answers: () => Effect.succeed(true),
      queueStatus: (tenant) =>
        Effect.map(checked, ({ documents, paused }) => {
          const mine = [...documents.values()].filter(
            (document) => tenant === undefined || document.tenantId === tenant
          )
          return {
            waiting: mine.filter(({ status }) => status === "queued").length,
            maxWaiting: 7,
            running: mine.filter(({ status }) => status === "running").length,
            maxRunning: 3,
            concurrency: 4,
            processed: 11,
            failed: 2,
            paused,
            estimatedWaitSeconds: 12.5
          }
        }),
      events: () => Stream.empty,
      follow: () => Stream.empty,
      watch: () => Stream.never,
      watchDocument: (tenant, id) => Effect.as(find(tenant, id), Option.some(Stream.never)),
      changed: () => Effect.succeed(Effect.never),
      watching: Effect.succeed({ changes: 0, watchers: 0 }),
      runners: Effect.succeed([]),
      accepting: Effect.map(Ref.get(state), ({ accepting }) => accepting)
    })
  })
)

const engine = Layer.effect(
  PdfEngine,
  Effect.map(Fake, ({ state }) =>
    PdfEngine.of({
      capacity: 1,
      ready: () => 1,
      onReady: () => Effect.void,
      open: () => Effect.die("not used"),
      read: () => Stream.die("not used"),
      close: () => Effect.void,
      status: Effect.map(Ref.get(state), ({ unavailable, workers }) => ({
        ...(unavailable !== undefined && { unavailable }),
        workers: Array.from({ length: workers }, (_, pid) => ({ pid, busy: false, rssBytes: 0, pagesRead: 0 })),
        replaced: 0
      }))
    })
  )
)

/** Of a store of its own, which knows nothing of the documents above. */
const webhooks = Webhooks.layerNoDeps.pipe(
  Layer.provide([StoreMemory.layerMemory, SecretsMemory.layerMemory, SecureRandom.layerWebCrypto])
)

/** One that has a name and a limit. */
const downstreams = downstreamsLayer({ ocr: { concurrency: 4 } })

/** Finds every document of the tenant. */
const search = Layer.effect(
  Search,
  Effect.map(Fake, ({ state }) => ({
    search: (tenant: TenantId) =>
      Effect.map(Ref.get(state), ({ documents }) => ({
        hits: [...documents.values()]
          .filter((document) => document.tenantId === tenant)
          .map(({ id, name }) => ({
            document: { id, name },
            chunk: chunkOf(name),
            page: 1,
            boxes: [],
            score: 1,
            snippet: name
          })),
        mode: "keyword" as const,
        degraded: []
      }))
  }))
)

const chunkOf = (text: string): Chunk => ({
  id: "0".repeat(32),
  ordinal: 0,
  kind: "text",
  text,
  context: "",
  headings: [],
  pages: [1, 1],
  places: [],
  tokens: 1
})

export const fakes = Layer.mergeAll(ingestion, engine, search, ApiKeysMemory.layerMemory, webhooks, downstreams).pipe(
  Layer.provideMerge(fake)
)

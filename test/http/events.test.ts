import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Deferred, Effect, Fiber, Latch, Layer, Ref, Stream } from "effect"
import { Ingestion, type News } from "../../src/actors/Ingestion.ts"
import { isTerminal } from "../../src/domain/document/Document.ts"
import { TenantId } from "../../src/domain/Ids.ts"
import { type ScriptedDocument, soundDocument } from "../../src/services/PdfEngineScripted.ts"
import { acceptedId, temporaryFolder } from "../support/service.ts"
import { assertProblem, get, pdf, postPdf, remove } from "./client.ts"
import { brief, documentOf, engineAt, eventsOf, pageOf, queueOf, serviceAt, start, type Told } from "./live.ts"

const acme = TenantId.make("acme")

/** Opens at once; its pages are read one by one as the latch lets them. */
const held = (pageCount: number): ScriptedDocument => ({
  open: () => ({ _tag: "Opens", pageCount }),
  page: () => ({ _tag: "Hang" })
})

const submit = Effect.fnUntraced(function* (name: string, tenant = "acme") {
  return yield* acceptedId(yield* postPdf(`/v1/documents?name=${name}.pdf&force=true`, { "x-tenant-id": tenant }))
})

const numbersTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1)
const pagesIn = (told: ReadonlyArray<Told>) => told.flatMap((one) => pageOf(one)?.page ?? [])
const sorted = (numbers: ReadonlyArray<number>) => numbers.toSorted((a, b) => a - b)
const asAcme = { "x-tenant-id": "acme" }

/** The service for one test. */
const withService = <A, E, R>(script: ScriptedDocument, body: Effect.Effect<A, E, R>) =>
  Effect.provide(body, Layer.unwrap(Effect.map(temporaryFolder, (folder) => serviceAt(folder, () => script))))

describe("the events of a document", () => {
  it.live("tell every page before its end, and then end", () =>
    withService(
      soundDocument(30, "2 millis"),
      Effect.gen(function* () {
        const id = yield* submit("a")
        const path = `/v1/documents/${id}/events`
        const told = yield* Stream.runCollect(eventsOf(path, asAcme))
        assert.deepStrictEqual(sorted(pagesIn(told)), numbersTo(30))
        const [first, last] = [told[0], told.at(-1)]
        assert.strictEqual(first?.type, "document")
        assert.deepStrictEqual(
          brief(told).filter((one) => one === "completed"),
          ["completed"]
        )
        assert.strictEqual(last === undefined ? undefined : documentOf(last)?.status, "completed")
        const ids = told.map(({ id }) => id)
        assert.deepStrictEqual(ids, sorted(ids))
        const shown = yield* get(`/v1/documents/${id}`, asAcme)
        const { outline, ...listed } = shown.json
        assert.deepStrictEqual(outline, [])
        assert.deepStrictEqual(JSON.parse(last?.data ?? ""), listed)

        const late = yield* Stream.runCollect(eventsOf(path, asAcme))
        assert.deepStrictEqual(brief(late).slice(-1), ["completed"])
        assert.deepStrictEqual(late.map(({ type }) => type).lastIndexOf("page"), 29)
        assert.deepStrictEqual(pagesIn(late), pagesIn(told))

        for (const known of [0, 10, 29]) {
          const rest = yield* Stream.runCollect(eventsOf(path, { ...asAcme, "last-event-id": String(late[known]?.id) }))
          assert.deepStrictEqual(rest, late.slice(known + 1))
        }
        const all = yield* get(path, { ...asAcme, "last-event-id": String(last?.id) })
        assert.deepStrictEqual([all.status, all.text], [204, ""])
        assert.strictEqual((yield* get(`${path}?lastEventId=${last?.id}`, asAcme)).status, 204)
      })
    )
  )

  it.live("are text that no proxy keeps, with a pause for clients that were cut off", () =>
    withService(
      soundDocument(1),
      Effect.gen(function* () {
        const id = yield* submit("a")
        yield* Stream.runDrain(eventsOf(`/v1/documents/${id}/events`, asAcme))
        const { headers, text } = yield* get(`/v1/documents/${id}/events`, asAcme)
        assert.strictEqual(headers["content-type"], "text/event-stream")
        assert.strictEqual(headers["cache-control"], "no-store, no-transform")
        assert.strictEqual(headers["x-accel-buffering"], "no")
        assert.match(
          text,
          /^retry: 2000\n\nid: \d+\nevent: page\ndata: \{.*\}\n\nid: \d+\nevent: document\ndata: \{.*\}\n\n$/
        )
      })
    )
  )

  it.live("are for its tenant, and end when it is removed", () =>
    withService(
      held(3),
      Effect.gen(function* () {
        const id = yield* submit("a")
        const path = `/v1/documents/${id}/events`
        assertProblem(yield* get(path), 404, "DOCUMENT_NOT_FOUND")
        assertProblem(yield* get(`${path}?lastEventId=x`, asAcme), 400, "INVALID_REQUEST")
        const opened = yield* Deferred.make<void>()
        const following = yield* eventsOf(path, asAcme).pipe(
          Stream.tap(() => Deferred.succeed(opened, undefined)),
          Stream.runCollect,
          Effect.forkChild
        )
        yield* Deferred.await(opened)
        yield* remove(`/v1/documents/${id}`, asAcme)
        yield* remove(`/v1/documents/${id}`, asAcme)
        const told = yield* Fiber.join(following)
        assert.notInclude(brief(told), "completed")
        assertProblem(yield* get(path, asAcme), 404, "DOCUMENT_NOT_FOUND")
      })
    )
  )
})

describe("the events of a tenant", () => {
  it.live("tell of what happens from now on to its documents, and of its queue", () =>
    withService(
      soundDocument(3, "2 millis"),
      Effect.gen(function* () {
        const before = yield* submit("before")
        yield* Stream.runDrain(eventsOf(`/v1/documents/${before}/events`, asAcme))
        const listening = yield* Deferred.make<void>()
        const listeningToAll = yield* Deferred.make<void>()
        const following = yield* eventsOf("/v1/events", asAcme).pipe(
          Stream.tap(() => Deferred.succeed(listening, undefined)),
          Stream.takeUntil((told) => queueOf(told)?.total_processed === 2),
          Stream.runCollect,
          Effect.forkChild
        )
        const everybody = yield* eventsOf("/v1/events?scope=all").pipe(
          Stream.tap(() => Deferred.succeed(listeningToAll, undefined)),
          Stream.takeUntil((told) => queueOf(told)?.total_processed === 3),
          Stream.runCollect,
          Effect.forkChild
        )
        yield* Effect.all([Deferred.await(listening), Deferred.await(listeningToAll)])
        const other = yield* submit("other", "globex")
        yield* Stream.runDrain(eventsOf(`/v1/documents/${other}/events`, { "x-tenant-id": "globex" }))
        const id = yield* submit("mine")
        const told = yield* Fiber.join(following)
        const all = yield* Fiber.join(everybody)
        assert.deepStrictEqual(new Set(told.flatMap((one) => documentOf(one)?.id ?? [])), new Set([id]))
        assert.deepStrictEqual(sorted(pagesIn(told)), [1, 2, 3])
        assert.include(
          all.map((one) => documentOf(one)?.id),
          other
        )
        const queues = told.filter(({ type }) => type === "queue").map(({ data }) => data)
        for (const [index, queue] of queues.entries()) assert.notStrictEqual(queue, queues[index - 1])
      })
    )
  )

  it.live("go on behind the last one known, over restarts, and miss nothing and double nothing", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const script = soundDocument(40, "2 millis")
      const told: Array<Told> = []
      const isDone = () => told.filter((one) => documentOf(one)?.status === "completed").length === 6
      let known: string | undefined
      const listening = yield* Deferred.make<void>()
      let runs = 0
      for (; !isDone(); runs++) {
        const { context, stop } = yield* start(serviceAt(folder, () => script))
        const headers = known === undefined ? asAcme : { ...asAcme, "last-event-id": known }
        // Cuts the connection in the middle, twice in every run, and stops the service.
        yield* Effect.gen(function* () {
          const submitting = yield* Deferred.await(listening).pipe(
            Effect.andThen(runs === 0 ? Effect.forEach(numbersTo(6), (n) => submit(`${n}`)) : Effect.void),
            Effect.forkChild
          )
          for (const _ of [1, 2]) {
            const last = told.at(-1)?.id
            const part = yield* eventsOf("/v1/events", {
              ...headers,
              ...(last === undefined ? {} : { "last-event-id": String(last) })
            }).pipe(
              Stream.tap(() => Deferred.succeed(listening, undefined)),
              Stream.filter(({ type }) => type === "document" || type === "page"),
              Stream.mapAccum(
                () => 0,
                (count, one: Told) => {
                  told.push(one)
                  return [count + 1, [count + 1]] as const
                }
              ),
              Stream.takeUntil((count) => count === 23 || isDone()),
              Stream.runCollect
            )
            if (isDone()) break
            assert.strictEqual(part.length, 23)
          }
          yield* Fiber.join(submitting)
        }).pipe(Effect.provide(context))
        known = String(told.at(-1)?.id)
        yield* stop
      }
      assert.isAbove(runs, 1)
      const pages = told.flatMap((one) => {
        const page = pageOf(one)
        return page === undefined ? [] : [`${page.documentId} ${page.page}`]
      })
      assert.strictEqual(pages.length, 240)
      assert.strictEqual(new Set(pages).size, 240)
      const ids = told.map(({ id }) => id)
      for (const [index, id] of ids.entries()) assert.isAbove(id, ids[index - 1] ?? -1)
      // The end of each comes after all of its pages.
      for (const [index, one] of told.entries()) {
        const document = documentOf(one)
        if (document === undefined || !isTerminal(document.status)) continue
        assert.isFalse(told.slice(index).some((later) => pageOf(later)?.documentId === document.id))
      }
    })
  )

  it.live("of all tenants are not for everyone, and streams are counted", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const limited = serviceAt(folder, () => held(1)).pipe(
        Layer.provide(ConfigProvider.layer(ConfigProvider.fromUnknown({ PER_TENANT_STREAMS: "2", MAX_STREAMS: "3" })))
      )
      const { context } = yield* start(limited)
      yield* Effect.gen(function* () {
        const open = Effect.fnUntraced(function* (tenant: string) {
          const begun = yield* Deferred.make<void>()
          const fiber = yield* eventsOf("/v1/events", { "x-tenant-id": tenant }).pipe(
            Stream.runForEach(() => Deferred.succeed(begun, undefined)),
            Effect.forkChild
          )
          yield* Deferred.await(begun)
          return fiber
        })
        const streams = [yield* open("acme"), yield* open("acme")]
        const refused = yield* get("/v1/events", asAcme)
        assertProblem(refused, 429, "TOO_MANY_STREAMS")
        assert.deepInclude(refused.json, { limit: 2 })
        assert.strictEqual(refused.headers["retry-after"], "5")
        const other = yield* open("globex")
        assert.deepInclude((yield* get("/v1/events", { "x-tenant-id": "initech" })).json, { limit: 3 })
        for (const fiber of [...streams, other]) yield* Fiber.interrupt(fiber)
        const refusal = get("/v1/documents/01890000-0000-7000-8000-000000000000/pages.ndjson?follow=true", asAcme)
        assertProblem(yield* refusal, 404, "DOCUMENT_NOT_FOUND")
      }).pipe(Effect.provide(context))
    })
  )

  it.live("end when the service stops, and do not hold it up", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const { context, stop } = yield* start(serviceAt(folder, () => held(1)))
      const streams = yield* Effect.forEach([1, 2, 3], () =>
        Effect.gen(function* () {
          const begun = yield* Deferred.make<void>()
          const stream = yield* eventsOf("/v1/events", asAcme).pipe(
            Stream.runForEach(() => Deferred.succeed(begun, undefined)),
            Effect.provide(context),
            Effect.forkChild
          )
          yield* Deferred.await(begun)
          return stream
        })
      )
      const stopping = yield* Effect.forkChild(stop)
      // Each ends as one that is complete, not as one that broke off.
      yield* Fiber.joinAll(streams)
      yield* Fiber.join(stopping)
    })
  )
})

describe("a thousand watchers", () => {
  it.live("miss nothing, however slow they are, and share what is held for them", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const tenants = Array.from({ length: 10 }, (_, index) => TenantId.make(`tenant-${index}`))
      const pageCount = 300
      const { context } = yield* start(engineAt(folder, () => soundDocument(pageCount)))
      yield* Effect.gen(function* () {
        const ingestion = yield* Ingestion
        const most = yield* Ref.make(0)
        const sample = Effect.flatMap(ingestion.watching, ({ changes }) =>
          Ref.update(most, (before) => Math.max(before, changes))
        )
        const isEnd = (news: News) =>
          news._tag === "Changed" && news.change._tag === "Document" && isTerminal(news.change.document.status)
        const pageIn = (news: News) =>
          news._tag === "Changed" && news.change._tag === "Page" ? [news.change.page] : []
        const ready = yield* Latch.make(false)
        let begun = 0
        const begins = Effect.suspend(() => (++begun === 1_000 ? ready.open : Effect.void))

        const fast = (tenant: TenantId) =>
          ingestion.watch(tenant).pipe(
            Stream.onFirst(() => begins),
            Stream.takeUntil(isEnd),
            Stream.runCollect,
            Effect.map((told) => told.flatMap(pageIn))
          )
        const resumed = yield* Latch.make(false)
        const slow = ingestion.watch(tenants[0]).pipe(
          Stream.onFirst(() => begins),
          Stream.tap((news) => (news._tag === "Changed" ? resumed.await : Effect.void)),
          Stream.takeUntil(isEnd),
          Stream.runCollect
        )
        const restless = Effect.gen(function* () {
          const told: Array<News> = []
          while (!told.some(isEnd)) {
            const part = ingestion.watch(tenants[1], told.at(-1)?.id).pipe(
              Stream.onFirst(() => (told.length === 0 ? begins : Effect.void)),
              Stream.takeUntil(isEnd),
              Stream.take(17)
            )
            told.push(...(yield* Stream.runCollect(part)))
          }
          return told.flatMap(pageIn)
        })

        const crowd = yield* Effect.forEach(
          Array.from({ length: 998 }, (_, index) => tenants[index % 10] ?? acme),
          (tenant) => Effect.forkChild(fast(tenant))
        )
        const [late, back] = [yield* Effect.forkChild(slow), yield* Effect.forkChild(restless)]
        yield* ready.await
        assert.isAtLeast((yield* ingestion.watching).watchers, 999)
        const watching = yield* ingestion.watch(undefined).pipe(
          Stream.tap(() => sample),
          Stream.filter(isEnd),
          Stream.take(10),
          Stream.runDrain,
          Effect.forkChild({ startImmediately: true })
        )
        yield* Effect.forEach(tenants, (tenant) =>
          ingestion.submit(tenant, Stream.make(pdf()), { name: "a.pdf", force: true })
        )
        for (const fiber of crowd) {
          assert.deepStrictEqual(sorted(yield* Fiber.join(fiber)), numbersTo(pageCount))
        }
        assert.deepStrictEqual(sorted(yield* Fiber.join(back)), numbersTo(pageCount))
        yield* Fiber.join(watching)
        assert.isUndefined(late.pollUnsafe())
        yield* resumed.open
        assert.deepStrictEqual(sorted((yield* Fiber.join(late)).flatMap(pageIn)), numbersTo(pageCount))
        assert.isAtMost(yield* Ref.get(most), 2_048)
        assert.strictEqual((yield* ingestion.watching).watchers, 0)
      }).pipe(Effect.provide(context))
    })
  )
})

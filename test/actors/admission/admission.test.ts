import { assert, describe, it } from "@effect/vitest"
import { ByteSize, Clock, Effect, Exit, Fiber, Redacted, Stream } from "effect"
import { TestClock } from "effect/testing"
import { failure } from "../../../src/domain/Failure.ts"
import { BlobHash } from "../../../src/domain/Ids.ts"
import { type ScriptedDocument, soundDocument } from "../../../src/services/PdfEngineScripted.ts"
import { StoreUnavailable } from "../../../src/services/store/StoreErrors.ts"
import { type ResolvedSource, SourceUnavailable } from "../../../src/services/Sources.ts"
import { acme, bytesOf, letPass, startEngine, tenant } from "../../support/engine.ts"

const scripts: Record<string, ScriptedDocument> = {
  short: soundDocument(3, "10 millis"),
  long: soundDocument(100, "1 second")
}
const encoded = (text: string) => new TextEncoder().encode(text)
const options = { name: "a.pdf", force: true }

/** A stream that tells whether anything of it was asked for. */
const watched = () => {
  let read = false
  const stream = Stream.fromEffect(
    Effect.sync(() => {
      read = true
      return bytesOf("short")
    })
  )
  return { stream, wasRead: () => read }
}

describe("the admission", () => {
  it.effect("refuses by the tenant's backlog before anything of the upload is read", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({
        scripts,
        limits: { tenantDocuments: 1 },
        tenants: { [acme]: { backlog: 2 } }
      })
      yield* engine.submit("long")
      yield* TestClock.adjust("10 millis")
      yield* engine.submit("short")
      yield* engine.submit("short")
      const { stream, wasRead } = watched()
      const refused = yield* Effect.flip(engine.ingestion.submit(acme, stream, options))
      assert.deepInclude(refused, { _tag: "LimitReached", limit: "tenant_queue", allowed: 2 })
      assert.isFalse(wasRead())
      yield* engine.submit("short", tenant("other"))
    })
  )

  it.effect("refuses by the global backlog before anything of the upload is read", () =>
    Effect.gen(function* () {
      const limits = { tenantDocuments: 1, globalDocuments: 1, queueSize: 3 }
      const engine = yield* startEngine({ scripts, limits })
      yield* engine.submit("long")
      yield* TestClock.adjust("10 millis")
      for (const name of ["a", "b", "c"]) yield* engine.submit("short", tenant(name))
      const { stream, wasRead } = watched()
      const refused = yield* Effect.flip(engine.ingestion.submit(tenant("d"), stream, options))
      assert.deepInclude(refused, { _tag: "LimitReached", limit: "global_queue", allowed: 3 })
      assert.isFalse(wasRead())
    })
  )

  it.effect("never accepts more than the backlog holds, however many come at once", () =>
    Effect.gen(function* () {
      const limits = { tenantDocuments: 1, queueSize: 5 }
      const engine = yield* startEngine({ scripts, limits })
      yield* engine.submit("long")
      yield* TestClock.adjust("10 millis")
      const uploads = Array.from({ length: 20 }, () =>
        Effect.exit(
          engine.ingestion.submit(acme, Stream.concat(Stream.make(bytesOf("short")), Stream.fromEffect(later)), options)
        )
      )
      const exits = yield* letPass(yield* Effect.forkChild(Effect.all(uploads, { concurrency: "unbounded" })))
      assert.strictEqual(exits.filter(Exit.isSuccess).length, 5)
      assert.strictEqual((yield* engine.store.stats(acme)).waiting, 5)
    })
  )

  for (const [what, bytes] of [
    ["an empty upload", []],
    ["a short text", [encoded("hello")]],
    ["a long text", [encoded("hello ".repeat(10_000))]],
    ["a text in small pieces", Array.from({ length: 5_000 }, () => encoded("x"))],
    ["a header that comes too late", [encoded(`${" ".repeat(2_000)}%PDF-1.7`)]]
  ] as const) {
    it.effect(`refuses ${what} as NOT_PDF, and keeps nothing of it`, () =>
      Effect.gen(function* () {
        const engine = yield* startEngine({ scripts })
        const refused = yield* Effect.flip(engine.ingestion.submit(acme, Stream.fromIterable(bytes), options))
        assert.strictEqual(refused._tag === "SubmissionRejected" && refused.failure.code, "NOT_PDF")
        assert.deepStrictEqual(yield* Stream.runCollect(engine.blobs.list), [])
        assert.deepStrictEqual(
          yield* engine.ingestion.list(acme, { status: undefined, before: undefined, limit: 9 }),
          []
        )
      })
    )
  }

  it.effect("refuses an upload that grows too large, and keeps nothing of it", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts, limits: { uploadSize: ByteSize.bytes(5_000) } })
      let pieces = 0
      const endless = Stream.concat(
        Stream.make(bytesOf("short")),
        Stream.fromEffectRepeat(
          Effect.sync(() => {
            pieces++
            return new Uint8Array(1_000)
          })
        )
      )
      const refused = yield* Effect.flip(engine.ingestion.submit(acme, endless, options))
      assert.strictEqual(refused._tag === "SubmissionRejected" && refused.failure.code, "TOO_LARGE")
      assert.isAtMost(pieces, 50)
      assert.deepStrictEqual(yield* Stream.runCollect(engine.blobs.list), [])
    })
  )

  it.effect("accepts a header that comes in small pieces after some junk", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts })
      const pieces = Array.from(encoded("junk\n%PDF-1.7 short "), (byte) => Uint8Array.of(byte))
      const { id } = yield* engine.ingestion.submit(acme, Stream.fromIterable(pieces), options)
      assert.strictEqual((yield* engine.awaitEnd(id)).status, "completed")
    })
  )

  it.effect("refuses with ShuttingDown once the engine has begun to stop", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts })
      assert.isTrue(yield* engine.ingestion.accepting)
      const stopping = yield* Effect.forkChild(engine.stop)
      yield* letPass(stopping)
      assert.isFalse(yield* engine.ingestion.accepting)
      const { stream, wasRead } = watched()
      const refused = yield* Effect.flip(engine.ingestion.submit(acme, stream, options))
      assert.deepStrictEqual([refused._tag, wasRead()], ["ShuttingDown", false])
      assert.deepStrictEqual(yield* Stream.runCollect(engine.blobs.list), [])
    })
  )

  it.effect("runs what was committed even when its sender goes away at that moment", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({
        scripts,
        store: (store) => ({
          accept: (document, limits) => Effect.tap(store.accept(document, limits), () => Effect.sleep("10 millis"))
        })
      })
      const sending = yield* Effect.forkChild(engine.submit("short"))
      yield* TestClock.adjust("5 millis")
      yield* letPass(yield* Effect.forkChild(Fiber.interrupt(sending)))
      yield* TestClock.adjust("10 seconds")
      const stats = yield* engine.store.stats(acme)
      assert.deepStrictEqual([stats.processed, stats.waiting], [1, 0])
    })
  )

  it.effect("announces a document and wakes its tenant once the acceptance has succeeded, and not before", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({
        scripts,
        store: (store) => ({
          accept: (document, limits) => Effect.tap(store.accept(document, limits), () => Effect.sleep("1 second"))
        })
      })
      const told: Array<string> = []
      const live = yield* engine.events.subscribe
      yield* Effect.forkChild(Stream.runForEach(live, ({ _tag }) => Effect.sync(() => told.push(_tag))))
      const sending = yield* Effect.forkChild(engine.submit("short"))
      yield* TestClock.adjust("900 millis")
      assert.strictEqual((yield* engine.store.stats(acme)).waiting, 1)
      assert.deepStrictEqual(told, [])
      yield* TestClock.adjust("200 millis")
      assert.strictEqual((yield* Fiber.join(sending)).status, "queued")
      assert.deepStrictEqual(told.slice(0, 2), ["DocumentAccepted", "DocumentStarted"])
    })
  )

  it.effect("keeps a name that is long or broken within bounds", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts })
      const { name } = yield* engine.submit("short", acme, { name: `\ud800${"n".repeat(5_000)}` })
      assert.strictEqual(name, `\ufffd${"n".repeat(1_023)}`)
    })
  )

  it.effect("hands the password to the reader, and keeps it nowhere else", () =>
    Effect.gen(function* () {
      const seen: Array<string | undefined> = []
      const engine = yield* startEngine({
        scripts,
        reader: (reader) => ({
          open: (pdf) => {
            seen.push(pdf.password && Redacted.value(pdf.password))
            return reader.open(pdf)
          }
        })
      })
      const { id } = yield* engine.submit("short", acme, { password: Redacted.make("open sesame") })
      const document = yield* engine.awaitEnd(id)
      assert.deepStrictEqual(seen, ["open sesame"])
      assert.notInclude(JSON.stringify(document), "sesame")
    })
  )
})

const later = Effect.as(Effect.sleep("10 millis"), bytesOf("short"))

describe("the admission of a source", () => {
  const named = (source: ResolvedSource) => ({ resolve: () => Effect.succeed(source) })
  const file = { _tag: "File", path: "/inbox/a.pdf", name: "a.pdf" } as const
  const url = { _tag: "Url", url: "https://example.com/a.pdf", name: "a.pdf" } as const
  const unavailable = (retryable: boolean) =>
    new SourceUnavailable({ failure: failure("SOURCE_UNAVAILABLE", "it is away"), retryable })

  it.effect("reads a file at once", () =>
    Effect.gen(function* () {
      const sources = { ...named(file), readFile: () => Stream.make(bytesOf("short")) }
      const engine = yield* startEngine({ scripts, sources })
      const accepted = yield* engine.ingestion.submitSource(acme, "a.pdf", {})
      assert.deepStrictEqual([accepted.name, accepted.size], ["a.pdf", bytesOf("short").length])
      assert.strictEqual((yield* engine.awaitEnd(accepted.id)).status, "completed")
    })
  )

  it.effect("refuses a file that cannot be read or is no PDF", () =>
    Effect.gen(function* () {
      for (const [readFile, code] of [
        [() => Stream.fail(unavailable(true)), "SOURCE_UNAVAILABLE"],
        [() => Stream.make(encoded("hello")), "NOT_PDF"]
      ] as const) {
        const engine = yield* startEngine({ scripts, sources: { ...named(file), readFile } })
        const refused = yield* Effect.flip(engine.ingestion.submitSource(acme, "a.pdf", {}))
        assert.strictEqual(refused._tag === "SubmissionRejected" && refused.failure.code, code)
        assert.deepStrictEqual(yield* Stream.runCollect(engine.blobs.list), [])
      }
    })
  )

  it.effect("refuses what the sources do not allow", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({ scripts })
      const refused = yield* Effect.flip(engine.ingestion.submitSource(acme, "/etc/passwd", {}))
      assert.strictEqual(refused._tag === "SubmissionRejected" && refused.failure.code, "SOURCE_REFUSED")
    })
  )

  it.effect("takes a blob that the tenant has, and none that only others have", () =>
    Effect.gen(function* () {
      const resolve = (text: string) => Effect.succeed({ _tag: "Blob", hash: BlobHash.make(text) } as const)
      const engine = yield* startEngine({ scripts, sources: { resolve } })
      const { blob = "" } = yield* engine.submit("short")
      const again = yield* engine.ingestion.submitSource(acme, blob, { name: "again.pdf", force: true })
      assert.deepStrictEqual([again.blob, again.name], [blob, "again.pdf"])
      assert.strictEqual((yield* engine.awaitEnd(again.id)).status, "completed")
      const refused = yield* Effect.flip(engine.ingestion.submitSource(tenant("other"), blob, {}))
      assert.strictEqual(refused._tag === "SubmissionRejected" && refused.failure.code, "SOURCE_REFUSED")
    })
  )

  const resolveBlob = (text: string) => Effect.succeed({ _tag: "Blob", hash: BlobHash.make(text) } as const)

  it.effect("keeps the bytes of a blob whose only document is removed while it is being accepted", () =>
    Effect.gen(function* () {
      let late = false
      const engine = yield* startEngine({
        scripts,
        sources: { resolve: resolveBlob },
        store: (store) => ({
          accept: (document, limits) =>
            Effect.andThen(Effect.sleep(late ? "10 millis" : 0), store.accept(document, limits))
        })
      })
      const first = yield* engine.ingestion.submit(acme, Stream.make(bytesOf("short")), options)
      yield* engine.awaitEnd(first.id)
      late = true
      yield* TestClock.adjust("1 second")
      const submitting = yield* Effect.forkChild(
        engine.ingestion.submitSource(acme, first.blob ?? "", { force: true }),
        { startImmediately: true }
      )
      yield* TestClock.adjust("5 millis")
      yield* engine.ingestion.remove(acme, first.id)
      const again = yield* letPass(submitting)
      assert.strictEqual((yield* engine.awaitEnd(again.id)).status, "completed")
    })
  )

  it.effect("refuses a blob that goes before it could be held", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({
        scripts,
        sources: { resolve: resolveBlob },
        references: ({ refersTo }) => ({
          refersTo: (hash, owner) => Effect.tap(refersTo(hash, owner), () => Effect.sleep("10 millis"))
        })
      })
      const first = yield* engine.submit("short")
      yield* engine.awaitEnd(first.id)
      yield* TestClock.adjust("1 second")
      const submitting = yield* Effect.forkChild(
        Effect.flip(engine.ingestion.submitSource(acme, first.blob ?? "", { force: true })),
        { startImmediately: true }
      )
      yield* TestClock.adjust("5 millis")
      yield* engine.ingestion.remove(acme, first.id)
      const refused = yield* letPass(submitting)
      assert.strictEqual(refused._tag === "SubmissionRejected" && refused.failure.code, "SOURCE_REFUSED")
      assert.deepStrictEqual(yield* engine.ingestion.list(acme, { status: undefined, before: undefined, limit: 9 }), [])
    })
  )

  it.effect("keeps fetched bytes whose only other document is removed before they are recorded", () =>
    Effect.gen(function* () {
      const engine = yield* startEngine({
        scripts,
        sources: { ...named(url), fetch: () => Stream.make(bytesOf("short")) },
        store: (store) => ({
          fetched: (fence, blob) => Effect.andThen(Effect.sleep("10 millis"), store.fetched(fence, blob))
        })
      })
      const uploaded = yield* engine.submit("short")
      yield* engine.awaitEnd(uploaded.id)
      const { id } = yield* engine.ingestion.submitSource(acme, url.url, {})
      yield* TestClock.adjust("5 millis")
      yield* engine.ingestion.remove(acme, uploaded.id)
      assert.strictEqual((yield* engine.awaitEnd(id)).status, "completed")
    })
  )

  it.effect("fetches a URL once, even if the store cannot record it at once", () =>
    Effect.gen(function* () {
      let fetches = 0
      let refusals = 0
      const fetch = () =>
        Stream.suspend(() => {
          fetches++
          return Stream.make(bytesOf("short"))
        })
      const engine = yield* startEngine({
        scripts,
        sources: { ...named(url), fetch },
        store: (store) => ({
          fetched: (fence, blob) =>
            Effect.suspend(() =>
              refusals++ < 2
                ? Effect.fail(new StoreUnavailable({ operation: "record a fetch", cause: "busy" }))
                : store.fetched(fence, blob)
            )
        })
      })
      const { id } = yield* engine.ingestion.submitSource(acme, url.url, {})
      const { attempt, status } = yield* engine.awaitEnd(id)
      assert.deepStrictEqual([status, attempt, fetches], ["completed", 1, 1])
    })
  )

  it.effect("shows when a source that is away is tried again", () =>
    Effect.gen(function* () {
      const fetch = () => Stream.fail(unavailable(true))
      const engine = yield* startEngine({ scripts, sources: { ...named(url), fetch } })
      const { id } = yield* engine.ingestion.submitSource(acme, url.url, {})
      yield* TestClock.adjust("100 millis")
      const { status, timings } = yield* engine.ingestion.status(acme, id)
      const now = yield* Clock.currentTimeMillis
      assert.strictEqual(status, "running")
      assert.isAbove(timings.nextAttemptAt?.epochMilliseconds ?? 0, now)
      const ended = yield* engine.awaitEnd(id)
      assert.deepStrictEqual([ended.failure?.code, ended.timings.nextAttemptAt], ["SOURCE_UNAVAILABLE", undefined])
    })
  )

  it.effect("accepts a URL and fetches it when the document runs, again if it is away for a moment", () =>
    Effect.gen(function* () {
      let calls = 0
      const fetch = () =>
        Stream.suspend(() => (calls++ < 2 ? Stream.fail(unavailable(true)) : Stream.make(bytesOf("short"))))
      const engine = yield* startEngine({ scripts, sources: { ...named(url), fetch } })
      const accepted = yield* engine.ingestion.submitSource(acme, url.url, {})
      assert.deepStrictEqual([accepted.sourceUrl, accepted.blob], [url.url, undefined])
      const document = yield* engine.awaitEnd(accepted.id)
      assert.deepStrictEqual([document.status, document.size, calls], ["completed", bytesOf("short").length, 3])
    })
  )

  it.effect("fails a document whose URL stays away, is no PDF, or is too large, and keeps nothing of it", () =>
    Effect.gen(function* () {
      for (const [fetch, code] of [
        [() => Stream.fail(unavailable(true)), "SOURCE_UNAVAILABLE"],
        [() => Stream.fail(unavailable(false)), "SOURCE_UNAVAILABLE"],
        [() => Stream.make(encoded("hello")), "NOT_PDF"],
        [() => Stream.make(bytesOf("short"), new Uint8Array(9_000)), "TOO_LARGE"]
      ] as const) {
        const limits = { uploadSize: ByteSize.bytes(5_000) }
        const engine = yield* startEngine({ scripts, limits, sources: { ...named(url), fetch } })
        const { id } = yield* engine.ingestion.submitSource(acme, url.url, {})
        const document = yield* engine.awaitEnd(id)
        assert.deepStrictEqual([document.status, document.failure?.code], ["failed", code])
        assert.deepStrictEqual(yield* Stream.runCollect(engine.blobs.list), [])
      }
      assert.isAtLeast(yield* Clock.currentTimeMillis, 10_000)
    })
  )
})

import { assert } from "@effect/vitest"
import { Duration, Effect, Option } from "effect"
import { failure } from "../../src/domain/Failure.ts"
import { PipelineName, StageName, StageVersion } from "../../src/domain/pipeline/Pipeline.ts"
import { type ArtifactKey, Artifacts, type NewArtifact } from "../../src/services/store/Artifacts.ts"
import { BlobReferences } from "../../src/services/store/BlobReferences.ts"
import { DocumentQueue } from "../../src/services/store/DocumentQueue.ts"
import { Documents } from "../../src/services/store/Documents.ts"
import type { Rerun, Retry } from "../../src/services/store/NewDocument.ts"
import { QueueStats } from "../../src/services/store/QueueStats.ts"
import {
  accept,
  acme,
  at,
  blobHash,
  claim,
  documentId,
  globex,
  hashesOf,
  newDocument,
  openedPdf,
  page,
  plenty,
  retry,
  type Test
} from "./storeFixtures.ts"

const pipeline = PipelineName.make("ocr")
const ocr = StageName.make("ocr")
const tags = StageName.make("tags")
const first = StageVersion.make("1")
const second = StageVersion.make("2")
const bytes = new TextEncoder().encode(`{"words":[]}`)
const inline = { _tag: "Inline", bytes } as const
const blob = (number: number) => ({ _tag: "Blob", hash: blobHash(number) }) as const
const noPassword: Retry = { sealedPassword: undefined, passwordKey: undefined }
const all = { limit: 100 }

const artifact = (changes: Partial<NewArtifact> = {}): NewArtifact => ({
  stage: ocr,
  version: first,
  status: "done",
  mediaType: "application/json",
  content: inline,
  size: bytes.length,
  elapsedMillis: 12.5,
  ...changes
})
const broken = { status: "failed", content: undefined, size: 0, error: failure("STAGE_FAILED", "no answer") } as const

/** A document of the pipeline that runs, opened, with an original of 100 bytes. */
const running = Effect.fnUntraced(function* (number = 1) {
  yield* accept(number, { pipeline })
  const { fence } = yield* claim()
  yield* DocumentQueue.use((queue) => queue.opened(fence, openedPdf))
  return fence
})

const finish = (
  fence: { documentId: ReturnType<typeof documentId>; attempt: number },
  status: "completed" | "partial"
) =>
  at(
    3_000,
    DocumentQueue.use((queue) => queue.finish(fence, { status }))
  )

const placesOf = (tenant = acme, id = documentId(1)) =>
  Effect.map(
    Artifacts.use((artifacts) => artifacts.list(tenant, id, all)),
    (found) => found.map(({ page: number = 0, stage, version }) => `${number} ${stage} ${version}`)
  )

const find = (key: ArtifactKey, tenant = acme) =>
  Artifacts.use((artifacts) => artifacts.find(tenant, documentId(1), key))

const storedBytes = Effect.map(
  QueueStats.use((stats) => stats.stats(acme)),
  (counters) => counters.storedBytes
)

const summaries = Documents.use((documents) =>
  documents.pages(acme, documentId(1), { from: 1, limit: 10, detail: false, summary: true })
)

/** Artifacts, the pipelines of documents, and the sources of texts. */
export const artifacts = (test: Test) => {
  named(test)
  written(test)
  listed(test)
  fencedWrites(test)
  blobsOfArtifacts(test)
  retried(test)
  rerun(test)
}

const named = (test: Test) => {
  test(
    "keep the name of a document's pipeline, unless it is the one that only reads",
    Effect.gen(function* () {
      const documents = yield* Documents
      assert.strictEqual((yield* accept(1, { pipeline })).pipeline, pipeline)
      const text = yield* accept(2, { pipeline: PipelineName.make("text") })
      assert.notProperty(text, "pipeline")
      assert.strictEqual((yield* documents.find(acme, documentId(1))).pipeline, pipeline)
      assert.deepStrictEqual(
        (yield* documents.list(acme, { status: undefined, before: undefined, limit: 9 })).map((each) => each.pipeline),
        [undefined, pipeline]
      )
      assert.strictEqual((yield* claim()).document.pipeline, pipeline)
    })
  )

  test(
    "do not answer a submission with a document of another pipeline",
    Effect.gen(function* () {
      const again = { name: "1.pdf", source: newDocument(1).source, reuse: true }
      yield* accept(1, { pipeline })
      assert.strictEqual((yield* accept(2, again)).id, documentId(2))
      assert.strictEqual((yield* accept(3, { ...again, pipeline })).id, documentId(1))
      assert.strictEqual((yield* accept(4, { ...again, pipeline: PipelineName.make("text") })).id, documentId(2))
    })
  )

  test(
    "keep the source of a page's text with the page",
    Effect.gen(function* () {
      const fence = yield* running()
      const pages = [page(1), page(2, { source: ocr })]
      yield* DocumentQueue.use((queue) => queue.saveArtifacts(fence, [artifact({ page: 2 })], pages))
      assert.deepStrictEqual(
        (yield* summaries).map(({ source }) => source),
        [undefined, ocr]
      )
      const found = yield* Documents.use((documents) =>
        documents.pages(acme, documentId(1), { from: 1, limit: 10, detail: true })
      )
      assert.deepStrictEqual(found, pages)
    })
  )
}

const written = (test: Test) => {
  test(
    "write a page and its artifact in one commit, and count the bytes of both",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const fence = yield* running()
      const before = yield* storedBytes
      const whole = page(1, { source: ocr })
      yield* at(2_500, queue.saveArtifacts(fence, [artifact({ page: 1 })], [whole]))
      assert.strictEqual(
        yield* storedBytes,
        before + bytes.length + Buffer.byteLength(whole.text) + Buffer.byteLength(whole.lines)
      )
      const { artifact: kept, content } = Option.getOrThrow(yield* find({ page: 1, stage: ocr }))
      const { createdAt, ...rest } = kept
      assert.deepStrictEqual(rest, {
        page: 1,
        stage: ocr,
        version: first,
        status: "done",
        mediaType: "application/json",
        size: bytes.length,
        elapsedMillis: 12.5
      })
      assert.strictEqual(createdAt.epochMilliseconds, 2_500)
      assert.deepStrictEqual(content, inline)
      yield* finish(fence, "completed")
      yield* Documents.use((documents) => documents.remove(acme, documentId(1)))
      assert.strictEqual(yield* storedBytes, 0)
    })
  )

  test(
    "write each artifact once, and keep what is there",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const fence = yield* running()
      const other = new TextEncoder().encode("another text")
      yield* queue.saveArtifacts(fence, [artifact({ page: 1 })])
      const before = yield* storedBytes
      const late = artifact({ page: 1, content: { _tag: "Inline", bytes: other }, size: other.length })
      yield* queue.saveArtifacts(fence, [late, artifact({ page: 2 }), { ...late, page: 2 }])
      assert.deepStrictEqual(Option.getOrThrow(yield* find({ page: 1, stage: ocr })).content, inline)
      assert.deepStrictEqual(Option.getOrThrow(yield* find({ page: 2, stage: ocr })).content, inline)
      assert.strictEqual(yield* storedBytes, before + bytes.length)
    })
  )

  test(
    "keep the error of what failed or was skipped, and no content",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const fence = yield* running()
      yield* queue.saveArtifacts(fence, [artifact({ ...broken, content: inline, size: 7 })])
      const { artifact: kept, content } = Option.getOrThrow(yield* find({ stage: ocr }))
      assert.deepInclude(kept, { status: "failed", size: 0, error: broken.error })
      assert.notProperty(kept, "page")
      assert.isUndefined(content)
    })
  )

  test(
    "keep empty content, which is not the same as none",
    Effect.gen(function* () {
      const fence = yield* running()
      const empty = { _tag: "Inline", bytes: new Uint8Array() } as const
      yield* DocumentQueue.use((queue) => queue.saveArtifacts(fence, [artifact({ content: empty, size: 0 })]))
      assert.deepStrictEqual(Option.getOrThrow(yield* find({ stage: ocr })).content, empty)
    })
  )
}

const listed = (test: Test) => {
  const several = [
    artifact({ page: 10 }),
    artifact({ page: 2, stage: tags }),
    artifact({ page: 2, version: second }),
    artifact({ stage: tags }),
    artifact({ page: 2, ...broken })
  ]
  const ordered = ["0 tags 1", "2 ocr 1", "2 ocr 2", "2 tags 1", "10 ocr 1"]

  test(
    "list artifacts by page, stage and version, from one to the next",
    Effect.gen(function* () {
      const store = yield* Artifacts
      const fence = yield* running()
      yield* DocumentQueue.use((queue) => queue.saveArtifacts(fence, several))
      assert.deepStrictEqual(yield* placesOf(), ordered)
      const [one, two] = yield* store.list(acme, documentId(1), { limit: 2 })
      assert.strictEqual(one?.stage, tags)
      const rest = yield* store.list(acme, documentId(1), { limit: 9, after: two })
      assert.deepStrictEqual(
        rest.map((each) => `${each.page} ${each.stage} ${each.version}`),
        ordered.slice(2)
      )
      assert.lengthOf(yield* store.list(acme, documentId(1), { limit: 9, stage: tags }), 2)
      assert.lengthOf(yield* store.list(acme, documentId(1), { limit: 9, page: 0 }), 1)
      assert.lengthOf(yield* store.list(acme, documentId(1), { limit: 9, page: 2, stage: ocr }), 2)
    })
  )

  test(
    "find the version that was made last, unless one is named, and count by stage and version",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const store = yield* Artifacts
      const fence = yield* running()
      yield* queue.saveArtifacts(fence, several)
      const version = (key: ArtifactKey) =>
        Effect.map(find(key), (found) => Option.getOrUndefined(found)?.artifact.version)
      assert.strictEqual(yield* version({ page: 2, stage: ocr }), first)
      assert.strictEqual(yield* version({ page: 2, stage: ocr, version: second }), second)
      assert.isUndefined(yield* version({ page: 2, stage: ocr, version: StageVersion.make("3") }))
      assert.isUndefined(yield* version({ page: 3, stage: ocr }))
      const counted = [
        { stage: ocr, version: first, done: 1, skipped: 0, failed: 1 },
        { stage: ocr, version: second, done: 1, skipped: 0, failed: 0 },
        { stage: tags, version: first, done: 2, skipped: 0, failed: 0 }
      ]
      assert.deepStrictEqual(yield* store.counts(acme, documentId(1)), counted)
      yield* queue.release(fence)
      assert.deepStrictEqual((yield* claim()).artifacts, counted)
    })
  )

  test(
    "hide artifacts from other tenants",
    Effect.gen(function* () {
      const store = yield* Artifacts
      const fence = yield* running()
      yield* DocumentQueue.use((queue) => queue.saveArtifacts(fence, several))
      assert.deepStrictEqual(yield* placesOf(globex), [])
      assert.isTrue(Option.isNone(yield* find({ page: 2, stage: ocr }, globex)))
      assert.deepStrictEqual(yield* store.counts(globex, documentId(1)), [])
      assert.deepStrictEqual(yield* store.counts(acme, documentId(2)), [])
    })
  )
}

const fencedWrites = (test: Test) => {
  test(
    "are not written by a run whose attempt has moved on",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const references = yield* BlobReferences
      const fence = yield* running()
      yield* queue.release(fence)
      const { fence: next } = yield* claim()
      const reference = yield* references.reserve(blobHash(7), "1 minute")
      const refused = yield* Effect.flip(
        queue.saveArtifacts(fence, [artifact({ page: 1, content: blob(7), reference })], [page(1)])
      )
      assert.strictEqual(refused._tag, "LeaseLost")
      assert.deepStrictEqual(yield* placesOf(), [])
      assert.deepStrictEqual(yield* summaries, [])
      // The reference is not used up: the run that holds the document may still write with it.
      yield* queue.saveArtifacts(next, [artifact({ page: 1, content: blob(7), reference })], [page(1)])
      assert.deepStrictEqual(yield* placesOf(), ["1 ocr 1"])
    })
  )

  test(
    "are not written, nor their pages, when the reference to their content has run out",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const references = yield* BlobReferences
      const fence = yield* running()
      const good = yield* at(2_000, references.reserve(blobHash(7), "1 minute"))
      const late = yield* at(2_000, references.reserve(blobHash(8), "1 second"))
      const both = [
        artifact({ page: 1, content: blob(7), reference: good }),
        artifact({ page: 2, content: blob(8), reference: late })
      ]
      const refused = yield* Effect.flip(at(3_000, queue.saveArtifacts(fence, both, [page(1), page(2)])))
      assert.deepInclude(refused, { _tag: "BlobReferenceExpired", hash: blobHash(8) })
      assert.deepStrictEqual(yield* placesOf(), [])
      assert.deepStrictEqual(yield* summaries, [])
      yield* queue.saveArtifacts(fence, both.slice(0, 1), [page(1)])
      assert.deepStrictEqual(yield* placesOf(), ["1 ocr 1"])
    })
  )
}

const blobsOfArtifacts = (test: Test) => {
  test(
    "keep their blobs from being removed, and give no tenant a right to them",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const references = yield* BlobReferences
      const fence = yield* running()
      const reference = yield* references.reserve(blobHash(7), "1 minute")
      yield* queue.saveArtifacts(fence, [artifact({ content: blob(7), size: 70_000, reference })])
      assert.deepStrictEqual(Option.getOrThrow(yield* find({ stage: ocr })).content, blob(7))
      assert.isTrue(yield* references.refersTo(blobHash(7)))
      assert.isFalse(yield* references.refersTo(blobHash(7), acme))
      assert.isTrue(Option.isNone(yield* references.claimRemoval(blobHash(7))))
    })
  )

  test(
    "claim the removal of each blob that was only theirs when the document is removed",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const documents = yield* Documents
      const references = yield* BlobReferences
      const one = yield* running(1)
      yield* queue.saveArtifacts(one, [
        artifact({ content: blob(7) }),
        artifact({ page: 1, content: blob(7) }),
        artifact({ page: 2, content: blob(8) }),
        artifact({ page: 3, content: blob(1) })
      ])
      const two = yield* running(2)
      yield* queue.saveArtifacts(two, [artifact({ content: blob(8) })])
      yield* finish(one, "completed")
      const removed = yield* documents.remove(acme, documentId(1))
      assert.deepStrictEqual(hashesOf(removed).toSorted(), [blobHash(1), blobHash(7)])
      assert.isTrue(Option.isNone(yield* references.claimRemoval(blobHash(7))))
      assert.deepStrictEqual(yield* placesOf(), [])
      const withdrawn = Option.getOrThrow(yield* documents.withdraw(acme, documentId(2), 0))
      assert.deepStrictEqual(hashesOf(withdrawn.unusedBlobs).toSorted(), [blobHash(2), blobHash(8)])
    })
  )

  test(
    "go with old documents, and so do their blobs",
    Effect.gen(function* () {
      const fence = yield* running()
      yield* DocumentQueue.use((queue) => queue.saveArtifacts(fence, [artifact({ content: blob(7) })]))
      yield* finish(fence, "completed")
      const [removed] = yield* at(
        9_000,
        Documents.use((documents) => documents.removeEnded(Duration.seconds(1), 9))
      )
      assert.deepStrictEqual(hashesOf(removed?.unusedBlobs ?? []).toSorted(), [blobHash(1), blobHash(7)])
    })
  )
}

const retried = (test: Test) => {
  test(
    "are forgotten by a retry when they failed or were skipped, though all pages are well",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const fence = yield* running()
      yield* queue.saveArtifacts(fence, [artifact({ page: 1 }), artifact({ page: 2, ...broken })], [page(1), page(2)])
      yield* queue.saveArtifacts(fence, [artifact({ ...broken, status: "skipped", stage: tags })])
      yield* finish(fence, "partial")
      const queued = yield* retry(acme, documentId(1), { ...noPassword, at: 4_000 }, plenty)
      assert.deepInclude(queued, { status: "queued", retries: 1 })
      assert.deepStrictEqual(queued.progress, { pages: 3, done: 2, failed: 0 })
      assert.deepStrictEqual(yield* placesOf(), ["1 ocr 1"])
      const claimed = yield* claim()
      assert.deepStrictEqual(claimed.artifacts, [{ stage: ocr, version: first, done: 1, skipped: 0, failed: 0 }])
      yield* queue.saveArtifacts(claimed.fence, [artifact({ page: 2 })])
      assert.deepInclude(Option.getOrThrow(yield* find({ page: 2, stage: ocr })).artifact, { status: "done" })
    })
  )

  test(
    "of the document as a whole are made anew when a retry reads pages again, and only then",
    Effect.gen(function* () {
      const documents = yield* Documents
      const queue = yield* DocumentQueue
      const fence = yield* running()
      const late = page(2, { status: "failed", text: "", error: failure("PAGE_TIMEOUT", "too late") })
      yield* queue.savePages(fence, [page(1)])
      const kept = yield* storedBytes
      yield* queue.savePages(fence, [late])
      yield* queue.saveArtifacts(fence, [artifact(), artifact({ stage: tags }), artifact({ page: 1, stage: tags })])
      yield* finish(fence, "partial")
      const again = at(4_000, documents.retry(acme, documentId(1), { ...noPassword, whole: [tags] }, plenty))
      assert.deepStrictEqual((yield* again).progress, { pages: 3, done: 1, failed: 0 })
      assert.deepStrictEqual(yield* placesOf(), ["0 ocr 1", "1 tags 1"])
      assert.strictEqual(yield* storedBytes, kept + 2 * bytes.length)
      const next = (yield* claim()).fence
      yield* queue.saveArtifacts(next, [artifact({ stage: tags }), artifact({ page: 1, ...broken })])
      yield* finish(next, "partial")
      yield* again
      assert.deepStrictEqual(yield* placesOf(), ["0 ocr 1", "0 tags 1", "1 tags 1"])
    })
  )

  test(
    "take the pages with them whose text a skipped stage was to give, when the document is retried",
    Effect.gen(function* () {
      const documents = yield* Documents
      const queue = yield* DocumentQueue
      const fence = yield* running()
      const skipped = { ...broken, status: "skipped" } as const
      const unsure = { warnings: [{ code: "STAGE_SKIPPED", message: "no answer" }] } as const
      const before = yield* storedBytes
      yield* queue.savePages(fence, [page(1)])
      const kept = yield* storedBytes
      yield* queue.saveArtifacts(
        fence,
        [artifact({ page: 1, ...skipped, stage: tags }), artifact({ page: 2, ...skipped }), artifact({ page: 3 })],
        [page(2, unsure), page(3, { source: ocr })]
      )
      yield* finish(fence, "partial")
      const given = { ...noPassword, givers: [ocr], whole: [tags] }
      const queued = yield* at(4_000, documents.retry(acme, documentId(1), given, plenty))
      assert.deepStrictEqual(queued.progress, { pages: 3, done: 2, failed: 0 })
      assert.deepStrictEqual(yield* placesOf(), ["3 ocr 1"])
      const claimed = yield* claim()
      assert.deepStrictEqual([...claimed.donePages].toSorted(), [1, 3])
      assert.strictEqual(yield* storedBytes, kept + (kept - before) + bytes.length)
    })
  )
}

const again = (stage: StageName, options: Omit<Rerun, "stage"> = {}) =>
  at(
    4_000,
    Documents.use((documents) => documents.rerun(acme, documentId(1), { stage, ...options }, noPassword, plenty))
  )

const rerun = (test: Test) => {
  test(
    "are made again when their stage is run again, also of a completed document",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const fence = yield* running()
      const before = yield* storedBytes
      yield* queue.savePages(fence, [
        page(1),
        page(3, { status: "failed", error: failure("PAGE_TIMEOUT", "too late") })
      ])
      const kept = yield* storedBytes
      yield* queue.saveArtifacts(
        fence,
        [artifact({ page: 2, content: blob(7), size: 70_000 }), artifact({ page: 2, stage: tags })],
        [page(2, { source: ocr, warnings: [{ code: "TEXT_UNSURE", message: "unsure" }] })]
      )
      assert.isAbove(kept, before)
      yield* finish(fence, "partial")
      const { document, unusedBlobs } = yield* again(ocr, { pages: true })
      assert.deepInclude(document, { status: "queued", retries: 1 })
      assert.strictEqual(document.timings.retriedAt?.epochMilliseconds, 4_000)
      assert.deepStrictEqual(document.progress, { pages: 3, done: 2, failed: 1 })
      assert.deepStrictEqual(hashesOf(unusedBlobs), [blobHash(7)])
      assert.deepStrictEqual(yield* placesOf(), ["2 tags 1"])
      assert.strictEqual(yield* storedBytes, kept + bytes.length)
      const claimed = yield* claim()
      assert.deepStrictEqual([...claimed.donePages].toSorted(), [1, 3])
      yield* queue.saveArtifacts(claimed.fence, [artifact({ page: 2 })], [page(2)])
      assert.isUndefined((yield* summaries)[1]?.source)
      assert.notProperty((yield* summaries)[1], "warnings")
      yield* finish(claimed.fence, "completed")
      assert.strictEqual((yield* again(tags)).document.status, "queued")
    })
  )

  test(
    "are made again of one version only, if it is named, and so are the pages",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const fence = yield* running()
      yield* queue.saveArtifacts(
        fence,
        [artifact({ page: 1 }), artifact({ page: 2, version: second })],
        [page(1, { source: ocr }), page(2, { source: ocr })]
      )
      yield* finish(fence, "completed")
      const { document } = yield* again(ocr, { version: first, pages: true })
      assert.strictEqual(document.progress.done, 1)
      assert.deepStrictEqual(
        (yield* summaries).map(({ number }) => number),
        [2]
      )
      assert.deepStrictEqual(yield* placesOf(), ["2 ocr 2"])
    })
  )

  test(
    "are made again of pages on which their stage failed or was skipped, with what later stages made of those pages",
    Effect.gen(function* () {
      const queue = yield* DocumentQueue
      const fence = yield* running()
      const before = yield* storedBytes
      yield* queue.saveArtifacts(
        fence,
        [
          artifact({ page: 1, ...broken }),
          artifact({ page: 2 }),
          artifact({ page: 2, stage: tags, content: blob(7), size: 70_000 }),
          artifact({ page: 3, stage: tags, content: blob(8), size: 70_000 })
        ],
        [page(1, { status: "failed", error: broken.error }), page(2, { source: tags }), page(3, { source: tags })]
      )
      yield* finish(fence, "partial")
      const { document, unusedBlobs } = yield* again(ocr, { pages: true, later: [tags] })
      assert.deepStrictEqual(document.progress, { pages: 3, done: 1, failed: 0 })
      assert.deepStrictEqual(hashesOf(unusedBlobs), [blobHash(7)])
      assert.deepStrictEqual(yield* placesOf(), ["3 tags 1"])
      const { lines, text } = page(3)
      assert.strictEqual(yield* storedBytes, before + 70_000 + Buffer.byteLength(text) + Buffer.byteLength(lines))
      assert.deepStrictEqual([...(yield* claim()).donePages], [3])
    })
  )

  test(
    "are not made again of a document that has not ended, was cancelled, or has lost its password",
    Effect.gen(function* () {
      const documents = yield* Documents
      const queue = yield* DocumentQueue
      const fence = yield* running()
      assert.deepInclude(yield* Effect.flip(again(ocr)), { _tag: "NotRetryable", why: "status", status: "running" })
      yield* at(3_000, documents.cancel(acme, fence.documentId))
      assert.deepInclude(yield* Effect.flip(again(ocr)), { _tag: "NotRetryable", why: "status", status: "cancelled" })
      yield* accept(2, { pipeline, sealedPassword: "sealed", passwordKey: "key" })
      const locked = (yield* claim()).fence
      yield* queue.saveArtifacts(locked, [artifact()])
      yield* finish(locked, "completed")
      const rerunIt = (limits = plenty, given = noPassword, tenant = acme) =>
        Effect.flip(documents.rerun(tenant, documentId(2), { stage: ocr }, given, limits))
      assert.deepInclude(yield* rerunIt(), { _tag: "NotRetryable", why: "password", status: "completed" })
      assert.deepInclude(yield* rerunIt(plenty, noPassword, globex), { _tag: "DocumentNotFound" })
      const given = { sealedPassword: "sealed", passwordKey: "key" }
      assert.deepInclude(yield* rerunIt({ tenant: 0, global: 9 }, given), { _tag: "QueueFull", scope: "tenant" })
      assert.deepStrictEqual(yield* placesOf(acme, documentId(2)), ["0 ocr 1"])
    })
  )
}

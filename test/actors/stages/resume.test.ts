import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import { TestClock } from "effect/testing"
import { PipelineName, StageName, StageVersion } from "../../../src/domain/pipeline/Pipeline.ts"
import type { SourceInput } from "../../../src/services/pipelines/Stage.ts"
import { StoreUnavailable } from "../../../src/services/store/StoreErrors.ts"
import type { RunnerId } from "../../../src/domain/Ids.ts"
import { soundDocument } from "../../../src/services/PdfEngineScripted.ts"
import { noLines } from "../../../src/domain/document/Page.ts"
import { acme, letPass, makeWorld, startEngine, tenant, until, words } from "../../support/engine.ts"
import {
  contentOf,
  documentStage,
  FarSide,
  pageStage,
  readingStage,
  running,
  scannedDocument,
  sourceStage
} from "../../support/stages.ts"

const pipeline = PipelineName.make("p")
const all = { limit: 1_000 }
const scans = [
  { name: "p", steps: [{ stage: "ocr", pages: "scanned" as const }, { stage: "tables" }, { stage: "index" }] }
]
const stagesOf = (far: FarSide) => [readingStage("ocr", far), pageStage("tables", far), documentStage("index", far)]
const everything = (pages: number) => [
  "index",
  ...Array.from({ length: pages }, (_, index) => `ocr ${index + 1}`),
  ...Array.from({ length: pages }, (_, index) => `tables ${index + 1}`)
]
const sorted = (texts: Iterable<string>) => Array.from(texts).toSorted()

describe("a document that goes on in another run", () => {
  it.effect("is asked for nothing twice when the engine is stopped: calls under way may end, and are saved", () =>
    Effect.gen(function* () {
      const far = new FarSide("300 millis")
      const world = yield* makeWorld({
        scripts: { a: scannedDocument(30, "1 millis") },
        stages: stagesOf(far),
        pipelines: scans,
        downstreams: { far: { concurrency: 4 } }
      })
      const one = yield* world.start
      const { id } = yield* words(one.ingestion).submit("a", acme, { pipeline })
      yield* until(Effect.sync(() => far.answered.length >= 9))
      const stopping = yield* Effect.forkChild(one.stop)
      yield* letPass(stopping, "10 millis")
      assert.strictEqual(far.inUse, 0)
      const asked = far.asked.length
      assert.isAtMost(asked, 16)
      const two = yield* world.start
      assert.strictEqual((yield* words(two.ingestion).awaitEnd(id)).status, "completed")
      assert.deepStrictEqual<unknown>(sorted(far.asked), sorted(everything(30)))
    })
  )

  it.effect("repeats no call that was answered and stored when the engine dies in the middle, again and again", () =>
    Effect.gen(function* () {
      const far = new FarSide("300 millis")
      const world = yield* makeWorld({
        scripts: { a: scannedDocument(20, "1 millis") },
        limits: { shutdownGrace: Duration.millis(1) },
        stages: stagesOf(far),
        pipelines: scans,
        downstreams: { far: { concurrency: 4 } }
      })
      const first = yield* world.start
      const { id } = yield* words(first.ingestion).submit("a", acme, { pipeline })
      let engine = first
      for (const answers of [5, 14, 23, 32]) {
        yield* until(Effect.sync(() => far.answered.length >= answers))
        yield* letPass(yield* Effect.forkChild(engine.stop), "10 millis")
        engine = yield* world.start
      }
      assert.strictEqual((yield* words(engine.ingestion).awaitEnd(id)).status, "completed")
      // What was under way at a death was asked for once more, and only that.
      assert.deepStrictEqual<unknown>(sorted(far.answered), sorted(everything(20)))
      assert.isAtMost(far.twice.length, 4 * 4)
      assert.isAbove(far.twice.length, 0)
    })
  )

  it.effect("keeps what the first of two stages that give a page its text has read", () =>
    Effect.gen(function* () {
      const far = new FarSide("100 millis", (what) => (what.startsWith("better") ? Effect.never : Effect.void))
      const unsure = { code: "TEXT_UNSURE", message: "unsure" } as const
      const world = yield* makeWorld({
        scripts: { a: scannedDocument(2) },
        limits: { shutdownGrace: Duration.millis(1) },
        stages: [
          readingStage("ocr", far, {
            output: (page) => ({
              content: contentOf("ocr"),
              reading: { text: `roughly ${page}`, lines: noLines, layout: new Uint8Array([1, 2, page]) },
              warnings: [unsure]
            })
          }),
          running(readingStage("better", far), (input) =>
            Effect.map(readingStage("better", far).run(input), () => ({
              content: contentOf("better"),
              reading: { text: `${input.page.text}, precisely (${input.page.layout?.join()})`, lines: noLines }
            }))
          )
        ],
        pipelines: [
          {
            name: "p",
            steps: [
              { stage: "ocr", pages: "scanned" },
              { stage: "better", pages: "warned" }
            ]
          }
        ],
        downstreams: { far: { concurrency: 4 } }
      })
      const one = yield* world.start
      const { id } = yield* words(one.ingestion).submit("a", acme, { pipeline })
      yield* until(Effect.sync(() => far.asked.includes("better 1") && far.asked.includes("better 2")))
      assert.lengthOf(yield* words(one.ingestion).pagesOf(id), 0)
      yield* letPass(yield* Effect.forkChild(one.stop), "10 millis")
      far.script = () => Effect.void
      const two = yield* world.start
      const document = yield* words(two.ingestion).awaitEnd(id)
      assert.strictEqual(document.status, "completed")
      assert.deepStrictEqual<unknown>(
        (yield* words(two.ingestion).pagesOf(id)).map(({ source, text, warnings }) => [source, text, warnings]),
        [
          ["better", "roughly 1, precisely (1,2,1)", undefined],
          ["better", "roughly 2, precisely (1,2,2)", undefined]
        ]
      )
      assert.deepStrictEqual<unknown>(sorted(far.twice), ["better 1", "better 2"])
      assert.deepStrictEqual<unknown>(
        document.stages?.map(({ stage }) => stage),
        [StageName.make("better"), StageName.make("ocr")]
      )
    })
  )

  it.effect("repeats one stage when it is asked for, and all else stays", () =>
    Effect.gen(function* () {
      const far = new FarSide("10 millis")
      const engine = yield* startEngine({
        scripts: { a: scannedDocument(3) },
        stages: stagesOf(far),
        pipelines: scans,
        downstreams: { far: { concurrency: 4 } }
      })
      const { id } = yield* engine.submit("a", acme, { pipeline })
      yield* engine.awaitEnd(id)
      const rerun = Effect.fnUntraced(function* (stage: string) {
        const before = far.asked.length
        const queued = yield* engine.ingestion.rerunStage(acme, id, { stage: StageName.make(stage) })
        assert.strictEqual(queued.status, "queued")
        assert.strictEqual((yield* engine.awaitEnd(id)).status, "completed")
        return sorted(far.asked.slice(before))
      })
      assert.deepStrictEqual<unknown>(yield* rerun("tables"), ["tables 1", "tables 2", "tables 3"])
      assert.deepStrictEqual<unknown>(yield* rerun("index"), ["index"])
      assert.deepStrictEqual<unknown>(yield* rerun("ocr"), ["ocr 1", "ocr 2", "ocr 3"])
      assert.deepStrictEqual<unknown>(
        (yield* engine.pagesOf(id)).map(({ source, status }) => [status, source]),
        [1, 2, 3].map(() => ["ok", "ocr"])
      )
      const unknown = yield* Effect.flip(engine.ingestion.rerunStage(acme, id, { stage: StageName.make("other") }))
      assert.strictEqual(unknown.message, "the pipeline p has no stage other")
    })
  )

  it.effect("has nothing of an attempt that lost its lease", () =>
    Effect.gen(function* () {
      const far = new FarSide("10 millis", (what, before) =>
        what === "tables 1" && before === 0 ? Effect.uninterruptible(Effect.sleep("2 minutes")) : Effect.void
      )
      let stale: RunnerId | undefined
      const world = yield* makeWorld({
        scripts: { a: soundDocument(1) },
        stages: [
          pageStage("tables", far, { output: () => ({ content: contentOf(`call ${far.answered.length + 1}`) }) })
        ],
        pipelines: [{ name: "p", steps: [{ stage: "tables" }] }],
        downstreams: { far: { concurrency: 4, timeout: { whole: "10m" } } },
        store: (store) => ({
          // The first runner is cut off when it would renew.
          renew: (request) =>
            Effect.suspend(() => {
              stale ??= request.runner
              return request.runner === stale ? Effect.never : store.renew(request)
            })
        })
      })
      const one = yield* world.start
      const { id } = yield* words(one.ingestion).submit("a", acme, { pipeline })
      yield* until(
        Effect.sync(() => far.asked.length === 1 && stale !== undefined),
        "100 millis"
      )
      const two = yield* world.start
      const document = yield* words(two.ingestion).awaitEnd(id, acme, "500 millis")
      assert.deepStrictEqual<unknown>([document.status, document.attempt], ["completed", 2])
      const artifacts = yield* two.ingestion.artifacts(acme, id, all)
      yield* TestClock.adjust("5 minutes")
      assert.deepStrictEqual<unknown>(far.asked, ["tables 1", "tables 1"])
      assert.deepStrictEqual<unknown>(yield* two.ingestion.artifacts(acme, id, all), artifacts)
      assert.lengthOf(artifacts, 1)
    })
  )

  it.effect("whose permit another tenant gets withdraws what waits, saves what is under way, and goes on later", () =>
    Effect.gen(function* () {
      const far = new FarSide("1 second")
      const engine = yield* startEngine({
        scripts: { scans: scannedDocument(200, "1 millis"), text: soundDocument(3, "10 millis") },
        limits: { globalDocuments: 1 },
        stages: [readingStage("ocr", far)],
        pipelines: [{ name: "p", steps: [{ stage: "ocr", pages: "scanned" }] }],
        downstreams: { far: { concurrency: 2, maxWait: "1h" } }
      })
      const { id } = yield* engine.submit("scans", acme, { pipeline })
      yield* until(Effect.sync(() => far.answered.length >= 4))
      const other = tenant("other")
      const text = yield* engine.submit("text", other)
      let millis = 0
      const isRead = Effect.map(engine.ingestion.find(other, text.id), ({ status }) => status === "completed")
      while (!(yield* isRead) && millis < 5_000) {
        yield* TestClock.adjust("10 millis")
        millis += 10
      }
      // Two calls were under way; the permit did not wait for them.
      assert.isBelow(millis, 500)
      const document = yield* engine.awaitEnd(id, acme, "200 millis")
      assert.strictEqual(document.status, "completed")
      assert.isAtLeast(document.interruptions, 1)
      assert.deepStrictEqual<unknown>(far.twice, [])
    })
  )

  it.effect("leaves its permit to others when only stages are left", () =>
    Effect.gen(function* () {
      const far = new FarSide("10 minutes")
      const engine = yield* startEngine({
        scripts: { a: scannedDocument(4, "1 millis"), text: soundDocument(3, "10 millis") },
        limits: { globalDocuments: 1 },
        stages: stagesOf(far),
        pipelines: scans,
        downstreams: { far: { concurrency: 1, maxWait: "10h", timeout: { whole: "10h" } } }
      })
      const { id } = yield* engine.submit("a", acme, { pipeline })
      yield* until(Effect.sync(() => far.asked.length === 1))
      const waiting = (yield* engine.ingestion.status(acme, id)).waiting
      assert.strictEqual(waiting?.gate, "downstream:far")
      // Of the same tenant, which is no newcomer.
      const text = yield* engine.submit("text", acme)
      assert.strictEqual((yield* engine.awaitEnd(text.id)).status, "completed")
      assert.strictEqual(yield* engine.gateInUse("global"), 0)
      const document = yield* engine.awaitEnd(id, acme, "10 minutes")
      assert.deepStrictEqual<unknown>([document.status, document.interruptions], ["completed", 0])
      assert.deepStrictEqual<unknown>(sorted(far.asked), sorted(everything(4)))
    })
  )

  it.effect("pays nothing again while there is no room for what its stages made", () =>
    Effect.gen(function* () {
      const far = new FarSide("100 millis")
      let isDown = false
      const large = (what: string) => ({ content: contentOf(what.repeat(20_000)) })
      const engine = yield* startEngine({
        scripts: { a: soundDocument(3) },
        stages: [
          pageStage("tables", far, { output: (page) => large(`table ${page}`) }),
          documentStage("index", far, () => Effect.succeed(large("index")))
        ],
        pipelines: [{ name: "p", steps: [{ stage: "tables" }, { stage: "index" }] }],
        downstreams: { far: { concurrency: 4 } },
        references: (references) => ({
          reserve: (hash, expiry) =>
            isDown
              ? Effect.fail(new StoreUnavailable({ operation: "reserve a blob", cause: "down" }))
              : references.reserve(hash, expiry)
        })
      })
      const { id } = yield* engine.submit("a", acme, { pipeline })
      isDown = true
      yield* until(Effect.sync(() => far.answered.length === 3))
      for (let minutes = 0; minutes < 10; minutes++) yield* TestClock.adjust("1 minute")
      isDown = false
      const document = yield* engine.awaitEnd(id, acme, "500 millis")
      assert.deepStrictEqual<unknown>([document.status, document.interruptions], ["completed", 0])
      assert.deepStrictEqual<unknown>(sorted(far.asked), ["index", "tables 1", "tables 2", "tables 3"])
    })
  )

  it.effect("is cancelled at once, whatever its stages do", () =>
    Effect.gen(function* () {
      const far = new FarSide("10 minutes")
      const engine = yield* startEngine({
        scripts: { a: scannedDocument(4, "1 millis") },
        stages: stagesOf(far),
        pipelines: scans,
        downstreams: { far: { concurrency: 2, maxWait: "10h", timeout: { whole: "10h" } } }
      })
      const { id } = yield* engine.submit("a", acme, { pipeline })
      yield* until(Effect.sync(() => far.asked.length === 2))
      assert.strictEqual((yield* engine.ingestion.cancel(acme, id)).status, "cancelled")
      yield* until(Effect.sync(() => far.inUse === 0))
      yield* TestClock.adjust("1 hour")
      assert.lengthOf(far.asked, 2)
    })
  )

  it.effect("has the PDF that its source stage made only once, and is read from it", () =>
    Effect.gen(function* () {
      const far = new FarSide("100 millis")
      const world = yield* makeWorld({
        scripts: { made: scannedDocument(20, "200 millis") },
        limits: { shutdownGrace: Duration.millis(1) },
        stages: [sourceStage("office", far, new TextEncoder().encode("%PDF-1.7 made "))],
        pipelines: [{ name: "p", steps: [{ stage: "office" }] }],
        downstreams: { far: {} }
      })
      const one = yield* world.start
      const file = new TextEncoder().encode("no PDF at all")
      const { id } = yield* one.ingestion.submit(acme, file, { name: "a.txt", pipeline })
      yield* until(Effect.map(words(one.ingestion).pagesOf(id), (pages) => pages.length > 3))
      yield* letPass(yield* Effect.forkChild(one.stop), "10 millis")
      const two = yield* world.start
      const document = yield* words(two.ingestion).awaitEnd(id)
      assert.deepStrictEqual<unknown>([document.status, document.progress.pages], ["completed", 20])
      assert.deepStrictEqual<unknown>(far.asked, ["office"])
      assert.deepStrictEqual<unknown>(
        (yield* two.ingestion.artifacts(acme, id, all)).map(({ mediaType, stage }) => [stage, mediaType]),
        [["office", "application/pdf"]]
      )
    })
  )

  it.effect(
    "is read to its end from the PDF with which it began, though its source stage has another version by then",
    () =>
      Effect.gen(function* () {
        const far = new FarSide("100 millis")
        let version = "1"
        const made = () => new TextEncoder().encode(`%PDF-1.7 made${version} `)
        const office = {
          ...sourceStage("office", far, made()),
          run: (input: SourceInput) =>
            Effect.map(sourceStage("office", far, made()).run(input), ({ pdf }) => ({ pdf })),
          get version() {
            return StageVersion.make(version)
          }
        }
        const world = yield* makeWorld({
          scripts: { made1: scannedDocument(20, "200 millis"), made2: soundDocument(2) },
          limits: { shutdownGrace: Duration.millis(1) },
          stages: [office],
          pipelines: [{ name: "p", steps: [{ stage: "office" }] }],
          downstreams: { far: {} }
        })
        const one = yield* world.start
        const file = new TextEncoder().encode("no PDF at all")
        const { id } = yield* one.ingestion.submit(acme, file, { name: "a.txt", pipeline })
        yield* until(Effect.map(words(one.ingestion).pagesOf(id), (pages) => pages.length > 3))
        yield* letPass(yield* Effect.forkChild(one.stop), "10 millis")
        version = "2"
        const two = yield* world.start
        assert.strictEqual((yield* words(two.ingestion).awaitEnd(id)).status, "completed")
        const statuses = (yield* words(two.ingestion).pagesOf(id)).map(({ status }) => status)
        assert.deepStrictEqual([statuses.length, ...new Set(statuses)], [20, "scanned"])
        assert.deepStrictEqual<unknown>(far.asked, ["office"])
      })
  )
})

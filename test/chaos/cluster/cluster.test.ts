import { assert, it } from "@effect/vitest"
import { Effect, Schedule } from "effect"
import { postgresBinaries } from "../../support/postgres/binaries.ts"
import { isViolated } from "../findings.ts"
import { slowDocument, type Upload } from "../workload.ts"
import { audit } from "./audit.ts"
import { collect, untilQuiet } from "./collect.ts"
import { openScene, type Scene } from "./scene.ts"
import { makeUploads, send } from "./uploads.ts"

/** So many that each runner has some. */
const tenants = ["acme", "globex", "initech", "hooli", "umbrella", "stark", "wayne", "tyrell"]
const pageCount = 24
const operators = 8_000

const uploadOf = (tenant: string, number: number): Upload => {
  const name = `${tenant}-${number}.pdf`
  const pages = Array.from({ length: pageCount }, (_, index) => `${name}: page ${index + 1} of ${pageCount}`)
  return {
    name,
    tenant,
    bytes: slowDocument(name, pageCount, () => operators),
    expected: { status: "completed", pages }
  }
}

/** Waits until the process has a document of which it has saved a page, and which has not ended; uploads more until then. */
const untilAtWork = ({ record }: Scene, process: string, uploadMore: Effect.Effect<void>) =>
  record.read.pipe(
    Effect.flatMap(({ changes, saves }) => {
      const last = new Map(changes.map((change) => [change.document, change]))
      const isAtWork = saves.some((save) => {
        const change = last.get(save.document)
        return change?.status === "running" && change.process === process && change.attempt === save.attempt
      })
      const open = [...last.values()].filter(({ status }) => status === "queued" || status === "running")
      return Effect.as(!isAtWork && open.length < tenants.length ? uploadMore : Effect.void, isAtWork)
    }),
    Effect.repeat({ until: (is) => is, schedule: Schedule.spaced("20 millis") })
  )

// The full form is `npm run chaos -- --cluster`.
it.live.skipIf(process.platform !== "linux" || postgresBinaries === undefined)(
  "A runner that is killed, one that is told to stop, and a restart of the database lose nothing and double nothing",
  () =>
    Effect.gen(function* () {
      const scene = yield* openScene({ runners: 2, isCluster: true, originals: "folder" })
      const { database, runners } = scene
      const [one, two] = runners.all
      if (one === undefined || two === undefined) return assert.fail("there are two runners")
      const uploads = makeUploads()
      let sent = 0
      const uploadSome = Effect.suspend(() =>
        Effect.forEach(
          tenants.map((tenant) => uploadOf(tenant, ++sent)),
          (upload, index) => send(uploads, () => (index % 2 === 0 ? one.client : two.client), upload),
          { concurrency: "unbounded", discard: true }
        )
      )

      yield* untilAtWork(scene, one.name, uploadSome)
      yield* one.kill
      yield* Effect.all([one.start, uploadSome], { concurrency: "unbounded" })

      yield* untilAtWork(scene, two.name, uploadSome)
      yield* two.stop
      yield* Effect.all([two.start, uploadSome], { concurrency: "unbounded" })

      yield* untilAtWork(scene, one.name, uploadSome)
      yield* Effect.all([database.restart?.("immediate", 500) ?? Effect.void, uploadSome], {
        concurrency: "unbounded"
      })

      yield* untilQuiet(scene, () => one.client, 120_000)
      const evidence = yield* collect(scene, uploads, tenants, [])
      const findings = audit(evidence, { isResumingBounded: false })
      assert.deepStrictEqual(findings.filter(isViolated), [])
      assert.strictEqual(evidence.shown.length, sent)
      // The kill and the stop each met a document, which went on under another attempt.
      assert.isAbove(
        evidence.recorded.changes.filter(({ attempt, status }) => status === "running" && attempt > 1).length,
        1
      )
    }).pipe(Effect.scoped)
)

// Gathers the evidence of a run, once nothing is under way any more.
import { Clock, Effect, Schema } from "effect"
import type { Client } from "../client.ts"
import type { Evidence, Shown, TroubleTime } from "./evidence.ts"
import type { Scene } from "./scene.ts"
import type { Uploads } from "./uploads.ts"

/** Waits until nothing waits and nothing runs, or until nothing has changed for so long. */
export const untilQuiet = Effect.fnUntraced(function* (
  { record }: Scene,
  client: () => Client,
  patienceMillis: number
) {
  let seen = ""
  let changedAt = yield* Clock.currentTimeMillis
  for (;;) {
    const queue = yield* Effect.option(client().queue)
    if (queue._tag === "Some" && queue.value.queue_size + queue.value.processing === 0) return
    const [now, found] = yield* Effect.all([Clock.currentTimeMillis, Effect.option(record.progress)])
    const progress = found._tag === "Some" ? JSON.stringify(found.value) : seen
    if (progress !== seen) changedAt = now
    if (now - changedAt > patienceMillis) return
    seen = progress
    yield* Effect.sleep("200 millis")
  }
})

const showAll = (client: Client, tenants: ReadonlyArray<string>) =>
  Effect.map(
    Effect.forEach(tenants, (tenant) =>
      Effect.flatMap(client.documents(tenant), (documents) =>
        Effect.forEach(
          documents,
          (document) => Effect.map(client.pages(tenant, document.id), (pages): Shown => ({ document, pages })),
          { concurrency: 4 }
        )
      )
    ),
    (shown) => shown.flat()
  )

const Original = Schema.Struct({ id: Schema.String, blob: Schema.String })
/** Small ones are in the database itself. */
const originalsSql = `SELECT id, blob FROM documents d
  WHERE blob IS NOT NULL AND NOT EXISTS (SELECT 1 FROM small_blobs s WHERE s.hash = d.blob)`

const missingOriginals = Effect.fnUntraced(function* ({ hasOriginal, record }: Scene) {
  const found = yield* record.rows(Original, originalsSql)
  const kept = new Map(
    yield* Effect.forEach(
      new Set(found.map(({ blob }) => blob)),
      (blob) => Effect.map(hasOriginal(blob), (has) => [blob, has] as const),
      { concurrency: 8 }
    )
  )
  return found.flatMap(({ blob, id }) => (kept.get(blob) === true ? [] : [`${id}: ${blob}`]))
})

/** Asks one runner for what there is to be seen, then stops all of them and looks at what they leave. */
export const collect = Effect.fnUntraced(function* (
  scene: Scene,
  uploads: Uploads,
  tenants: ReadonlyArray<string>,
  troubles: ReadonlyArray<TroubleTime>
) {
  const { record, runners } = scene
  const [first] = runners.up()
  const shown = first === undefined ? [] : yield* showAll(first.client, tenants)
  const queue = first === undefined ? { queue_size: 0, processing: 0 } : yield* first.client.queue
  yield* Effect.forEach(runners.all, (runner) => (runner.state === "up" ? runner.stop : Effect.void), {
    concurrency: "unbounded",
    discard: true
  })
  const evidence: Evidence = {
    ...uploads,
    shown,
    recorded: yield* record.read,
    readings: runners.readings,
    troubles,
    counters: { waiting: queue.queue_size, running: queue.processing },
    wrongEnds: runners.wrongEnds,
    orphans: yield* runners.orphans,
    missingOriginals: yield* missingOriginals(scene),
    failedStarts: runners.failedStarts()
  }
  return evidence
})

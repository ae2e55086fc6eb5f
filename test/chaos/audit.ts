// What must hold after any number of kills. A finding is a row of the report; one that is violated fails the run.
import { Effect, Schedule } from "effect"
import { readdirSync } from "node:fs"
import { join } from "node:path"
import { isTerminal } from "../../src/domain/document/Document.ts"
import type { Client, View } from "./client.ts"
import { type Finding, none } from "./findings.ts"
import { type Journal, lookInto, type StoredPage } from "./Journal.ts"
import { isAlive, type Process } from "./processes.ts"
import { compare } from "./results.ts"
import type { ServerProcess } from "./server.ts"
import { slowDocument, type Upload } from "./workload.ts"

/** What the driver knows of its own: it asks the server for nothing of this. */
export interface Account {
  /** Uploads that were answered with 202, by the document's id. */
  readonly acknowledged: Map<string, Upload>
  /** All uploads, by name. */
  readonly attempted: Map<string, Upload>
  /** Page workers that were children of a server when it was killed, or were killed themselves. */
  readonly workers: Array<Process>
  serverKills: number
  workerKills: number
}

export interface Scene {
  readonly account: Account
  readonly client: Client
  readonly directory: string
  readonly journal: Journal
  readonly server: ServerProcess
  readonly tenants: ReadonlyArray<string>
}

/** As many documents of every tenant at once as it may have: all of them have to run at the same time, and end. */
const useAllPermits = Effect.fnUntraced(function* ({ client, tenants }: Scene) {
  const documentsPerTenant = 2
  const ids = yield* Effect.forEach(
    tenants.flatMap((tenant) => Array.from({ length: documentsPerTenant }, (_, index) => ({ tenant, index }))),
    ({ index, tenant }) => {
      const name = `${tenant}-fresh-${index}.pdf`
      const bytes = slowDocument(name, 30)
      return client.upload({ name, tenant, bytes, expected: { status: "completed", pages: [] } })
    },
    { concurrency: "unbounded" }
  )
  const wanted = Math.min(8, ids.length)
  let most = 0
  yield* client.queue.pipe(
    Effect.repeat({
      until: ({ processing, queue_size }) => {
        most = Math.max(most, processing)
        return processing === 0 && queue_size === 0
      },
      schedule: Schedule.spaced("20 millis")
    })
  )
  return { most, wanted }
})

interface Stored {
  readonly running: number
  readonly doubled: number
  readonly unequal: number
  /** What documents refer to. */
  readonly blobs: ReadonlySet<string>
  /** Those that lie in the database; the others are files. */
  readonly small: ReadonlySet<string>
}

const lookAtStore = (directory: string): Stored =>
  lookInto(directory, (database) => {
    const count = (sql: string) => Number(database.prepare(sql).get()?.["count"] ?? -1)
    const blobs = database.prepare("SELECT DISTINCT blob FROM documents WHERE blob IS NOT NULL").all()
    return {
      running: count(
        "SELECT count(*) AS count FROM documents WHERE status NOT IN ('completed', 'partial', 'failed', 'cancelled')"
      ),
      doubled: count(
        "SELECT count(*) AS count FROM (SELECT 1 FROM pages GROUP BY document, number HAVING count(*) > 1)"
      ),
      unequal: count(
        `SELECT count(*) AS count FROM documents WHERE page_count IS NOT NULL AND status IN ('completed', 'partial')
         AND (page_count <> pages_done OR page_count <> (SELECT count(*) FROM pages WHERE document = seq))`
      ),
      blobs: new Set(blobs.map((row) => String(row["blob"]))),
      small: new Set(
        database
          .prepare("SELECT hash FROM blobs")
          .all()
          .map((row) => String(row["hash"]))
      )
    }
  })

const blobFiles = (directory: string): ReadonlySet<string> =>
  new Set(
    readdirSync(join(directory, "blobs"), { recursive: true, encoding: "utf8" }).flatMap((path) => {
      const name = path.split("/").at(-1) ?? ""
      return name.length === 64 ? [name] : []
    })
  )

/** Looks at everything, through the interface first, then stops the server and looks at what it leaves. */
export const audit = Effect.fnUntraced(function* (scene: Scene) {
  const { account, client, directory, journal, server, tenants } = scene
  const documents = yield* Effect.map(
    Effect.forEach(tenants, (tenant) => client.documents(tenant)),
    (found) => new Map<string, View>(found.flat().map((document) => [document.id, document]))
  )

  const lost = [...account.acknowledged].filter(([id]) => !documents.has(id)).map(([id, { name }]) => `${name} ${id}`)
  const stuck = [...documents.values()].filter(({ status }) => !isTerminal(status)).map(({ id }) => id)
  // Also those whose acknowledgement was lost on the way: accepted is accepted.
  const inspected = yield* Effect.forEach(
    documents.values(),
    (document) => {
      const upload = account.attempted.get(document.name)
      return upload === undefined
        ? Effect.succeed(undefined)
        : Effect.map(client.pages(upload.tenant, document.id), (pages) => compare(upload, document, pages))
    },
    { concurrency: 4 }
  )
  const known = inspected.filter((each) => each !== undefined)
  const sum = (of: (each: (typeof known)[number]) => number) => known.reduce((total, each) => total + of(each), 0)
  // A page that cannot be read is tried more than once anyway; the others are read once, and once more per kill they meet.
  const readable = ({ document, number }: StoredPage): boolean => {
    const upload = account.attempted.get(documents.get(document)?.name ?? "")
    return upload?.expected.pages[number - 1] !== undefined
  }
  const { begun, pages: pagesBegun } = journal.reads(readable)
  const inFlightAtKills = journal.lostWithServers.filter(readable).length

  const permits = yield* useAllPermits(scene)
  const queue = yield* client.queue

  const living = server.workers()
  yield* server.signal("SIGTERM")
  const end = yield* server.ended
  // The system ends workers with the namespaces that they are in, which may take a moment.
  yield* Effect.sync(() => living.some(isAlive)).pipe(
    Effect.repeat({
      until: (some) => !some,
      schedule: Schedule.spaced("10 millis").pipe(Schedule.upTo({ duration: "5 seconds" }))
    })
  )
  const orphans = [...account.workers, ...living].filter(isAlive).map(({ pid }) => `process ${pid}`)
  const stored = lookAtStore(directory)
  const kept = new Set([...stored.small, ...blobFiles(directory)])
  const missingBlobs = [...stored.blobs].filter((hash) => !kept.has(hash))
  const unusedBlobs = [...kept].filter((hash) => !stored.blobs.has(hash))
  const halves = readdirSync(join(directory, "tmp")).length
  const unacknowledged = account.attempted.size - account.acknowledged.size

  const findings: ReadonlyArray<Finding> = [
    { what: "kills of the server", found: account.serverKills },
    { what: "of these while pages were in flight", found: journal.killsAtWork },
    { what: "kills of page workers", found: account.workerKills },
    { what: "uploads acknowledged", found: account.acknowledged.size },
    { what: "uploads that were cut off, or refused", found: unacknowledged },
    {
      what: "of these accepted all the same",
      found: documents.size - account.acknowledged.size,
      allowed: unacknowledged
    },
    { what: "pages with a result", found: sum((each) => each.pages) },
    none("documents lost", lost),
    none("documents stuck", stuck),
    none("documents nobody uploaded", documents.size === known.length ? [] : ["see the list of documents"]),
    none(
      "documents with the wrong end",
      known.flatMap((each) => each.wrongEnd)
    ),
    { what: "pages doubled", found: sum((each) => each.doubled) + stored.doubled, allowed: 0 },
    { what: "pages missing or surplus", found: sum((each) => each.missing), allowed: 0 },
    none(
      "pages with the wrong result",
      known.flatMap((each) => each.wrongPages)
    ),
    { what: "documents whose page counts disagree", found: stored.unequal, allowed: 0 },
    { what: "finished pages read again", found: journal.readAgain.length, allowed: 0, detail: journal.readAgain },
    { what: "readings of pages that can be read", found: begun },
    { what: "pages in flight when the server was killed", found: inFlightAtKills },
    { what: "pages left unread by a page worker that died", found: journal.lostWithWorkers },
    {
      what: "pages read once more",
      found: begun - pagesBegun,
      allowed: inFlightAtKills + journal.lostWithWorkers
    },
    { what: "permits leaked", found: permits.wanted - permits.most, allowed: 0 },
    {
      what: "documents queued or running at the end",
      found: queue.queue_size + queue.processing + stored.running,
      allowed: 0
    },
    { what: "exit code of the last server", found: end.code ?? 255, allowed: 0 },
    none("orphaned page workers", orphans),
    none("blobs lost", missingBlobs),
    // A kill between a blob and its document leaves the blob, which the sweep removes after an hour.
    { what: "blobs without a document", found: unusedBlobs.length, allowed: unacknowledged },
    { what: "files of cut-off uploads", found: halves, allowed: unacknowledged }
  ]
  return findings
})

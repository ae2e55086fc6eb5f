/** `DocumentQueue` in Postgres. Every method that a document passes through is one round trip, unless it has run before. */
import { type Context, Duration, Effect, Option, Schema } from "effect"
import type { Document } from "../../../domain/document/Document.ts"
import { failure } from "../../../domain/Failure.ts"
import { DocumentId, TenantId } from "../../../domain/Ids.ts"
import { BlobReferenceExpired } from "../../../services/store/BlobReferences.ts"
import type { Claim } from "../../../services/store/Claim.ts"
import { DocumentQueue } from "../../../services/store/DocumentQueue.ts"
import type { Fence } from "../../../services/store/Fence.ts"
import { type BacklogLimits, type NewDocument, storedPipeline } from "../../../services/store/NewDocument.ts"
import type { Outcome } from "../../../services/store/Outcome.ts"
import { LeaseLost, QueueFull, QuotaReached, StoreUnavailable } from "../../../services/store/StoreErrors.ts"
import * as TraceContext from "../../../observability/TraceContext.ts"
import { bytesReceived } from "../../blobs/ReceivedBytes.ts"
import { newDocument } from "../../rows/documentRows.ts"
import { bool, bytes as bytesOf, float8, int4, int8, text as textOf } from "../database/Parameters.ts"
import type { PostgresDatabase, Row, Statements } from "../database/PostgresDatabase.ts"
import { artifactArguments, countsOf } from "./PostgresArtifacts.ts"
import {
  detailArguments,
  documentsFrom,
  encodeFailure,
  number,
  optional,
  optionalText,
  pageArguments,
  placeholders,
  sourceArgument,
  text,
  toDocument
} from "./rows.ts"

type Queue = Context.Service.Shape<typeof DocumentQueue>
type Database = PostgresDatabase["Service"]

const acceptSql = `SELECT * FROM accept_document(${placeholders(1, 18)})`
const acceptWithBytesSql = `SELECT * FROM accept_with_bytes(${placeholders(1, 19)})`

const accepting = (database: Database): Pick<Queue, "accept"> => ({
  accept: TraceContext.traced("DocumentQueue.accept", (document, limits) => {
    const receipt = document.source._tag === "Blob" ? document.source.receipt : undefined
    const received = receipt === undefined ? undefined : bytesReceived(database, receipt)
    if (receipt !== undefined && received === undefined) return Effect.fail(foreignReceipt())
    return Effect.flatMap(
      database.run("accept a document", (db) =>
        received === undefined
          ? db.get(acceptSql, ...acceptArguments(document, limits))
          : db.get(acceptWithBytesSql, bytesOf(received), ...acceptArguments(document, limits))
      ),
      (row = {}) => answer(document, limits, row)
    )
  })
})

const foreignReceipt = () =>
  new StoreUnavailable({ operation: "accept a document", cause: "its bytes were received by another store" })

const acceptArguments = (document: NewDocument, limits: BacklogLimits) => {
  const { reference, source } = document
  return [
    document.id,
    document.tenantId,
    textOf(document.name),
    textOf(source._tag === "Url" ? source.url : undefined),
    textOf(source._tag === "Blob" ? source.hash : undefined),
    int8(source._tag === "Blob" ? source.size : undefined),
    int4(document.priority),
    int8(document.notBefore),
    textOf(document.sealedPassword),
    textOf(document.passwordKey),
    textOf(document.callback),
    textOf(document.trace),
    bool(document.reuse),
    int8(reference === undefined ? undefined : Number(reference.id)),
    int8(limits.tenant),
    int8(limits.global),
    float8(limits.storedBytes),
    textOf(storedPipeline(document.pipeline))
  ]
}

/** A row that was made text in the database, because it may be removed once the transaction that read it has ended. */
const decodeRow = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Record(Schema.String, Schema.Unknown)))

type Refused = QueueFull | QuotaReached | BlobReferenceExpired | StoreUnavailable

const answer = Effect.fnUntraced(function* (document: NewDocument, limits: BacklogLimits, row: Row) {
  switch (text(row, "outcome")) {
    case "accepted": {
      const at = number(row, "detail")
      return newDocument(document, at, (document.notBefore ?? 0) > at ? "scheduled" : "queued")
    }
    case "shared":
      return toDocument(decodeRow(text(row, "document")))
    case "tenant":
      return yield* new QueueFull({ scope: "tenant", limit: limits.tenant })
    case "global":
      return yield* new QueueFull({ scope: "global", limit: limits.global })
    case "quota":
      return yield* new QuotaReached({ limit: limits.storedBytes ?? 0, storedBytes: number(row, "detail") })
    default:
      return yield* expired(document.reference)
  }
})

const expired = (reference: NewDocument["reference"]): Effect.Effect<never, Refused> =>
  reference === undefined
    ? Effect.die(new Error("a reference that was not given has run out"))
    : Effect.fail(new BlobReferenceExpired({ hash: reference.hash }))

const bySeq = `${documentsFrom("documents")} WHERE d.seq = $1`

export const findBySeq = (db: Statements, seq: number) =>
  Effect.flatMap(db.get(bySeq, int8(seq)), (row) =>
    row === undefined
      ? Effect.die(new Error("a document vanished inside its own transaction"))
      : Effect.sync(() => toDocument(row))
  )

const renewSql = `
  UPDATE documents SET lease_until = store_now() + $2::bigint WHERE status = 'running' AND runner = $1 RETURNING id, attempt`

const doneSql = "SELECT number FROM pages WHERE document = $1"
const faultsSql = `
  SELECT page, failures, deaths FROM page_faults f WHERE document = $1
  AND NOT EXISTS (SELECT 1 FROM pages p WHERE p.document = f.document AND p.number = f.page)`

/** A document that has run before has results. The results of its earlier attempts do not change any more. */
const claimed = Effect.fnUntraced(function* (db: Statements, row: Row) {
  const isFresh = number(row, "attempt") === 1
  const seq = int8(number(row, "seq"))
  const done = isFresh ? [] : yield* db.all(doneSql, seq)
  const faults = isFresh ? [] : yield* db.all(faultsSql, seq)
  const document = toDocument(row)
  const claim: Claim = {
    fence: { documentId: document.id, attempt: document.attempt },
    document,
    sealedPassword: optionalText(row, "sealed_password"),
    artifacts: isFresh || document.pipeline === undefined ? [] : yield* countsOf(db, seq),
    donePages: new Set(done.map((page) => number(page, "number"))),
    faults: new Map(
      faults.map((fault) => [
        number(fault, "page"),
        { failures: number(fault, "failures"), deaths: number(fault, "deaths") }
      ])
    )
  }
  return claim
})

const claimSql = documentsFrom("claim_document($1, $2, $3, $4)")

const leasing = ({ run }: Database): Pick<Queue, "claim" | "renew"> => ({
  claim: TraceContext.traced("DocumentQueue.claim", (tenant, { lease, runner }, most = Number.MAX_SAFE_INTEGER) =>
    run("claim a document", (db) =>
      Effect.flatMap(db.get(claimSql, tenant, runner, int8(Duration.toMillis(lease)), float8(most)), (row) =>
        row === undefined ? Effect.succeedNone : Effect.map(claimed(db, row), Option.some)
      )
    )
  ),
  renew: Effect.fn("DocumentQueue.renew")(({ lease, runner }) =>
    Effect.map(
      run("renew leases", (db) => db.all(renewSql, runner, int8(Duration.toMillis(lease)))),
      (rows) => rows.map((row) => ({ documentId: DocumentId.make(text(row, "id")), attempt: number(row, "attempt") }))
    )
  )
})

/** Fails if the fence held no document. */
const unlessLost = <A>({ attempt, documentId }: Fence, found: A | undefined): Effect.Effect<A, LeaseLost> =>
  found === undefined ? Effect.fail(new LeaseLost({ documentId, attempt })) : Effect.succeed(found)

/** For functions that answer whether the fence held. */
const isHeld = (fence: Fence, row: Row | undefined) =>
  Effect.asVoid(unlessLost(fence, row?.["held"] === true ? row : undefined))

const failureOf = (outcome: Outcome) => textOf(outcome.status === "failed" ? encodeFailure(outcome.failure) : undefined)

const openSql = `SELECT open_document(${placeholders(1, 6)}) AS held`
const saveSql = `SELECT save_pages(${placeholders(1, 14)}) AS held`
const saveArtifactsSql = `SELECT * FROM save_artifacts(${placeholders(1, 13)})`
const finishSql = documentsFrom(`finish_document(${placeholders(1, 4)})`)
const finishWholeSql = `SELECT * FROM finish_whole_document(${placeholders(1, 19)})`
/** The function is called once, and not for each row. */
const fetchedSql = `
  UPDATE documents d SET blob = $2, size = $3 FROM (SELECT held_document($1, $4) AS seq OFFSET 0) held
  WHERE d.seq = held.seq RETURNING true AS held`
const faultSql = `
  INSERT INTO page_faults (document, page, failures, deaths)
  SELECT held, $3, $4, $5 FROM held_document($1, $2) held WHERE held IS NOT NULL
  ON CONFLICT (document, page) DO UPDATE
    SET failures = page_faults.failures + excluded.failures, deaths = page_faults.deaths + excluded.deaths
  RETURNING true AS held`
const releaseSql = "SELECT release_document($1, $2) AS held"

const fenceOf = ({ attempt, documentId }: Fence) => [documentId, int4(attempt)] as const

const writing = ({
  run,
  transact
}: Database): Pick<Queue, "fetched" | "opened" | "savePages" | "saveArtifacts" | "recordFault" | "release"> => ({
  fetched: TraceContext.traced("DocumentQueue.fetched", (fence, { hash, size }, reference) =>
    transact("record a blob", (db) =>
      Effect.gen(function* () {
        const row = yield* db.get(fetchedSql, fence.documentId, hash, int8(size), int4(fence.attempt))
        yield* isHeld(fence, row)
        if (reference === undefined) return
        const ended = yield* db.all(consumeSql, int8(Number(reference.id)))
        if (ended.length === 0) return yield* new BlobReferenceExpired({ hash: reference.hash })
      })
    )
  ),
  opened: TraceContext.traced("DocumentQueue.opened", (fence, pdf) =>
    run("record an opened file", (db) =>
      Effect.flatMap(db.get(openSql, ...fenceOf(fence), ...detailArguments(pdf)), (row) => isHeld(fence, row))
    )
  ),
  // Without a span: there are nearly as many as pages.
  savePages: (fence, pages) =>
    run("save pages", (db) =>
      Effect.flatMap(db.get(saveSql, ...fenceOf(fence), ...pageArguments(pages), sourceArgument(pages)), (row) =>
        isHeld(fence, row)
      )
    ),
  saveArtifacts: Effect.fn("DocumentQueue.saveArtifacts")((fence, artifacts, pages = []) =>
    transact("save artifacts", (db) =>
      Effect.gen(function* () {
        const row = (yield* db.get(saveArtifactsSql, ...fenceOf(fence), ...artifactArguments(artifacts))) ?? {}
        yield* unlessLost(fence, text(row, "outcome") === "lost" ? undefined : row)
        const expired = optional(row, "reference", number)
        const lost = artifacts.find(({ reference }) => reference !== undefined && Number(reference.id) === expired)
        if (lost?.reference !== undefined) return yield* new BlobReferenceExpired({ hash: lost.reference.hash })
        if (pages.length === 0) return
        const saved = yield* db.get(saveSql, ...fenceOf(fence), ...pageArguments(pages), sourceArgument(pages))
        yield* isHeld(fence, saved)
      })
    )
  ),
  recordFault: Effect.fn("DocumentQueue.recordFault")((fence, page, fault) =>
    run("record a page's fault", (db) =>
      Effect.flatMap(
        db.get(
          faultSql,
          ...fenceOf(fence),
          int4(page),
          int4(fault === "failure" ? 1 : 0),
          int4(fault === "death" ? 1 : 0)
        ),
        (row) => isHeld(fence, row)
      )
    )
  ),
  release: Effect.fn("DocumentQueue.release")((fence) =>
    run("release a document", (db) =>
      Effect.flatMap(db.get(releaseSql, ...fenceOf(fence)), (row) => isHeld(fence, row))
    )
  )
})

const consumeSql = "DELETE FROM blob_references WHERE id = $1 AND expires_at > store_now() RETURNING id"

const ending = ({ run }: Database): Pick<Queue, "finish" | "finishWhole"> => ({
  finish: TraceContext.traced("DocumentQueue.finish", (fence, outcome) =>
    run("finish a document", (db) =>
      Effect.flatMap(db.get(finishSql, ...fenceOf(fence), outcome.status, failureOf(outcome)), (row) =>
        Effect.map(unlessLost(fence, row), (found) => toDocument(found))
      )
    )
  ),
  finishWhole: TraceContext.traced("DocumentQueue.finishWhole", (fence, { pages, pdf }, outcome) =>
    run("finish a document", (db) =>
      Effect.flatMap(
        db.get(
          finishWholeSql,
          ...fenceOf(fence),
          outcome.status,
          failureOf(outcome),
          ...detailArguments(pdf),
          ...pageArguments(pages)
        ),
        (row) => Effect.map(unlessLost(fence, row), (found) => toDocument(found, pdf))
      )
    )
  )
})

const tenantIds = (rows: ReadonlyArray<Row>): ReadonlyArray<TenantId> =>
  Array.from(new Set(rows.map((row) => text(row, "tenant_id"))), (id) => TenantId.make(id))

const expireSql = documentsFrom("expire_queued($1, $2, $3)")
const expiry = encodeFailure(failure("EXPIRED", "The document waited too long for its turn."))

/** The tenant's row is locked first, as by all that end or give back a document. */
const reclaimAllSql = `
  UPDATE documents SET status = 'queued', interruptions = interruptions + 1, runner = NULL, lease_until = NULL,
    changed = next_change()
  WHERE tenant_id = $1 AND status = 'running' RETURNING seq`

const upkeep = ({
  run,
  transact
}: Database): Pick<Queue, "reclaimExpired" | "reclaimAll" | "queueDue" | "expireQueued"> => ({
  reclaimAll: Effect.fn("DocumentQueue.reclaimAll")((tenant) =>
    transact("reclaim a tenant's documents", (db) =>
      Effect.andThen(
        db.all("SELECT 1 FROM lock_tenant($1)", tenant),
        Effect.map(db.all(reclaimAllSql, tenant), (rows) => rows.length)
      )
    )
  ),
  reclaimExpired: Effect.withSpan("DocumentQueue.reclaimExpired")(
    Effect.map(
      run("reclaim expired leases", (db) => db.all("SELECT * FROM reclaim_expired() AS tenant_id")),
      tenantIds
    )
  ),
  queueDue: Effect.withSpan("DocumentQueue.queueDue")(
    Effect.map(
      run("queue due documents", (db) => db.all("SELECT * FROM queue_due() AS tenant_id")),
      tenantIds
    )
  ),
  expireQueued: Effect.fn("DocumentQueue.expireQueued")((waitedLongerThan, limit) =>
    Effect.map(
      run("expire queued documents", (db) =>
        db.all(expireSql, float8(Duration.toMillis(waitedLongerThan)), int4(limit), textOf(expiry))
      ),
      (rows): ReadonlyArray<Document> => rows.map((row) => toDocument(row))
    )
  )
})

/** Steps from tenant to tenant through the index of queued documents. */
export const tenantsQueued = `
  WITH RECURSIVE tenants (tenant_id) AS (
    (SELECT tenant_id FROM documents WHERE status = 'queued' ORDER BY tenant_id LIMIT 1)
    UNION ALL
    SELECT (SELECT d.tenant_id FROM documents d WHERE d.status = 'queued' AND d.tenant_id > tenants.tenant_id
      ORDER BY d.tenant_id LIMIT 1) FROM tenants WHERE tenants.tenant_id IS NOT NULL
  ) SELECT s.tenant_id, s.queued FROM tenants t JOIN tenant_stats s ON s.tenant_id = t.tenant_id WHERE NOT s.paused`

const hasQueuedSql = `
  SELECT 1 FROM tenant_stats WHERE tenant_id = $1 AND queued > 0 AND NOT paused AND running < $2`
export const setPausedSql = `
  INSERT INTO tenant_stats (tenant_id, paused) VALUES ($1, $2) ON CONFLICT (tenant_id) DO UPDATE SET paused = excluded.paused`

const pausing = ({
  run
}: Database): Pick<Queue, "hasQueued" | "tenantsWithQueued" | "tenantsWithRunning" | "setPaused" | "isPaused"> => ({
  tenantsWithRunning: Effect.map(
    run("find tenants whose documents run", (db) =>
      db.all("SELECT DISTINCT tenant_id FROM documents WHERE status = 'running'")
    ),
    tenantIds
  ),
  hasQueued: TraceContext.traced("DocumentQueue.hasQueued", (tenant, most = Number.MAX_SAFE_INTEGER) =>
    Effect.map(
      run("see whether a tenant has work", (db) => db.get(hasQueuedSql, tenant, float8(most))),
      (row) => row !== undefined
    )
  ),
  tenantsWithQueued: Effect.map(
    run("find tenants with work", (db) => db.all(tenantsQueued)),
    tenantIds
  ),
  setPaused: Effect.fn("DocumentQueue.setPaused")((tenant, paused) =>
    Effect.asVoid(run("pause or resume a tenant", (db) => db.all(setPausedSql, tenant, bool(paused))))
  ),
  isPaused: Effect.fn("DocumentQueue.isPaused")((tenant) =>
    Effect.map(
      run("see whether a tenant is paused", (db) =>
        db.get("SELECT 1 FROM tenant_stats WHERE tenant_id = $1 AND paused", tenant)
      ),
      (row) => row !== undefined
    )
  )
})

export const documentQueue = (database: Database) =>
  DocumentQueue.of({
    ...accepting(database),
    ...leasing(database),
    ...writing(database),
    ...ending(database),
    ...upkeep(database),
    ...pausing(database)
  })

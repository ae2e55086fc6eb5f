/** The shape of the database, step by step. A step that has been released is never edited; a change is a new step. */
import { Effect, Layer } from "effect"
import { Migrator, SqlClient } from "effect/sql"
import { artifacts } from "../artifacts/tables.ts"
import { callbackLeases, limitVersions, underWay } from "./ProcessTables.ts"
import { ended, storedBytes, waits } from "../documents/storedBytes.ts"
import { sealingKey } from "../keys/SealingKey.ts"
import { usage } from "../usage/tables.ts"

/**
 * - Positions (`seq`) are given in the order of acceptance and never change, so a document that goes back to the queue
 *   stands where it stood before.
 * - Partial indexes hold only the documents in one state: their size, and the cost of a claim, do not depend on how many
 *   documents have ended.
 * - What is large and rarely read (`document_details`) stays out of the row that every saved page rewrites.
 */
const documents = [
  `CREATE TABLE documents (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    tenant_id TEXT NOT NULL,
    name TEXT NOT NULL,
    source_url TEXT,
    blob TEXT,
    size INTEGER,
    priority INTEGER NOT NULL,
    status TEXT NOT NULL,
    attempt INTEGER NOT NULL DEFAULT 0,
    runner TEXT,
    lease_until INTEGER,
    not_before INTEGER,
    sealed_password TEXT,
    callback TEXT,
    callback_next_at INTEGER,
    callback_deliveries INTEGER NOT NULL DEFAULT 0,
    page_count INTEGER,
    pages_done INTEGER NOT NULL DEFAULT 0,
    pages_failed INTEGER NOT NULL DEFAULT 0,
    failure TEXT,
    accepted_at INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER
  ) STRICT`,
  `CREATE INDEX documents_by_tenant ON documents (tenant_id, id)`,
  `CREATE INDEX documents_by_status ON documents (tenant_id, status, id)`,
  `CREATE INDEX documents_by_blob ON documents (blob, tenant_id) WHERE blob IS NOT NULL`,
  `CREATE INDEX documents_queued ON documents (tenant_id, priority DESC, seq) WHERE status = 'queued'`,
  `CREATE INDEX documents_running ON documents (runner) WHERE status = 'running'`,
  `CREATE INDEX documents_scheduled ON documents (not_before) WHERE status = 'scheduled'`,
  `CREATE INDEX documents_callback ON documents (callback_next_at) WHERE callback_next_at IS NOT NULL`,
  `CREATE TABLE document_details (
    document INTEGER PRIMARY KEY REFERENCES documents (seq) ON DELETE CASCADE,
    metadata TEXT NOT NULL,
    outline TEXT NOT NULL
  ) STRICT`
]

/** `lines` is the last column: SQLite reads a long row only as far as it is asked to. */
const pages = [
  `CREATE TABLE pages (
    document INTEGER NOT NULL REFERENCES documents (seq) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    status TEXT NOT NULL,
    width REAL NOT NULL,
    height REAL NOT NULL,
    rotation REAL NOT NULL,
    elapsed_millis REAL NOT NULL,
    error TEXT,
    text TEXT NOT NULL,
    lines TEXT NOT NULL,
    PRIMARY KEY (document, number)
  ) STRICT`
]

/**
 * Counters of each tenant, and under `*` (no tenant id can be that) of all. Triggers keep them, so that no way of
 * changing a document can forget to, and reading them does not depend on how many documents there are.
 */
const stats = [
  `CREATE TABLE tenant_stats (
    tenant_id TEXT PRIMARY KEY,
    waiting INTEGER NOT NULL DEFAULT 0,
    queued INTEGER NOT NULL DEFAULT 0,
    running INTEGER NOT NULL DEFAULT 0,
    max_waiting INTEGER NOT NULL DEFAULT 0,
    max_running INTEGER NOT NULL DEFAULT 0,
    processed INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0
  ) STRICT, WITHOUT ROWID`,
  `CREATE INDEX tenant_stats_queued ON tenant_stats (tenant_id) WHERE queued > 0`,
  `INSERT INTO tenant_stats (tenant_id) VALUES ('*')`,
  `CREATE TRIGGER documents_counted_on_insert AFTER INSERT ON documents BEGIN
    INSERT INTO tenant_stats (tenant_id) VALUES (NEW.tenant_id) ON CONFLICT DO NOTHING;
    UPDATE tenant_stats SET
      waiting = waiting + ${waits("NEW")},
      max_waiting = max(max_waiting, waiting + ${waits("NEW")}),
      queued = queued + (NEW.status = 'queued')
    WHERE tenant_id IN (NEW.tenant_id, '*');
  END`,
  `CREATE TRIGGER documents_counted_on_update AFTER UPDATE OF status ON documents WHEN OLD.status <> NEW.status BEGIN
    UPDATE tenant_stats SET
      waiting = waiting + ${waits("NEW")} - ${waits("OLD")},
      max_waiting = max(max_waiting, waiting + ${waits("NEW")} - ${waits("OLD")}),
      queued = queued + (NEW.status = 'queued') - (OLD.status = 'queued'),
      running = running + (NEW.status = 'running') - (OLD.status = 'running'),
      max_running = max(max_running, running + (NEW.status = 'running') - (OLD.status = 'running')),
      processed = processed + ${ended("NEW")},
      failed = failed + (NEW.status = 'failed')
    WHERE tenant_id IN (NEW.tenant_id, '*');
  END`,
  `CREATE TRIGGER documents_counted_on_delete AFTER DELETE ON documents BEGIN
    UPDATE tenant_stats SET
      waiting = waiting - ${waits("OLD")},
      queued = queued - (OLD.status = 'queued'),
      running = running - (OLD.status = 'running')
    WHERE tenant_id IN (OLD.tenant_id, '*');
  END`
]

/**
 * - `password_key` of documents that had a password before this step matches nothing: their passwords are not known.
 * - `queued_at` is set while a document waits for its first run, and empty from then on, however often it waits again.
 */
const lifecycle = [
  `ALTER TABLE documents ADD COLUMN password_key TEXT`,
  `ALTER TABLE documents ADD COLUMN shared INTEGER NOT NULL DEFAULT 0`,
  `ALTER TABLE documents ADD COLUMN interruptions INTEGER NOT NULL DEFAULT 0`,
  `ALTER TABLE documents ADD COLUMN retries INTEGER NOT NULL DEFAULT 0`,
  `ALTER TABLE documents ADD COLUMN queued_at INTEGER`,
  `UPDATE documents SET password_key = 'unknown' WHERE sealed_password IS NOT NULL OR EXISTS (
    SELECT 1 FROM document_details x WHERE x.document = seq AND json_extract(x.metadata, '$.encrypted')
  )`,
  `UPDATE documents SET queued_at = coalesce(not_before, accepted_at) WHERE status = 'queued' AND started_at IS NULL`,
  `CREATE INDEX documents_queued_at ON documents (queued_at) WHERE queued_at IS NOT NULL`,
  `CREATE INDEX documents_finished_at ON documents (finished_at) WHERE finished_at IS NOT NULL`,
  `ALTER TABLE tenant_stats ADD COLUMN paused INTEGER NOT NULL DEFAULT 0`,
  `CREATE TABLE page_faults (
    document INTEGER NOT NULL REFERENCES documents (seq) ON DELETE CASCADE,
    page INTEGER NOT NULL,
    failures INTEGER NOT NULL DEFAULT 0,
    deaths INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (document, page)
  ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE idempotency_keys (
    tenant_id TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    body TEXT NOT NULL,
    kept_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, key)
  ) STRICT`,
  `CREATE INDEX idempotency_keys_kept_at ON idempotency_keys (kept_at)`
]

/** A column that is empty has the tenant's default. */
const limits = [
  `CREATE TABLE tenant_limits (
    tenant_id TEXT PRIMARY KEY,
    documents INTEGER,
    weight REAL,
    backlog INTEGER,
    pages INTEGER,
    rate REAL,
    burst INTEGER
  ) STRICT, WITHOUT ROWID`
]

/** Queued documents that were opened before: their pages are known. */
const resumed = [
  `CREATE INDEX documents_resumed ON documents (tenant_id, priority DESC, page_count, pages_done)
  WHERE status = 'queued' AND page_count IS NOT NULL`
]

/** Keys that were revoked are gone. `digest` is a SHA-256 hash; the keys themselves are not stored. */
const apiKeys = [
  `CREATE TABLE api_keys (
    id TEXT NOT NULL UNIQUE,
    tenant_id TEXT NOT NULL,
    name TEXT NOT NULL,
    digest BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER
  ) STRICT`,
  `CREATE INDEX api_keys_by_tenant ON api_keys (tenant_id, created_at)`
]

/** A tenant without a URL has its callbacks signed, and no more. `changed_at` is when the URL last changed. */
const webhooks = [
  `CREATE TABLE webhooks (
    tenant_id TEXT PRIMARY KEY,
    url TEXT,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    secret TEXT NOT NULL,
    secret_created_at INTEGER NOT NULL,
    old_secret TEXT,
    old_secret_created_at INTEGER,
    old_secret_expires_at INTEGER,
    failing_since INTEGER,
    disabled_at INTEGER,
    disabled_reason TEXT
  ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE deliveries (
    document INTEGER NOT NULL REFERENCES documents (seq) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    at INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    endpoint TEXT NOT NULL,
    status INTEGER,
    error TEXT,
    elapsed_millis INTEGER NOT NULL,
    next_at INTEGER,
    PRIMARY KEY (document, number)
  ) STRICT, WITHOUT ROWID`
]

/** Small blobs; `put_at` is when one was last put or touched. */
const blobs = [
  `CREATE TABLE blobs (
    hash TEXT NOT NULL UNIQUE,
    bytes BLOB NOT NULL,
    put_at INTEGER NOT NULL
  ) STRICT`
]

/**
 * Every change of a document's state, and every page that gets its result, has a number of its own: `changed`, and the rowid
 * of the page. What was there before has lower ones. Numbers below `reserved` may be in use.
 */
const changes = [
  `ALTER TABLE documents ADD COLUMN changed INTEGER NOT NULL DEFAULT 0`,
  `CREATE INDEX documents_changed ON documents (changed, tenant_id)`,
  `CREATE TABLE change_numbers (reserved INTEGER NOT NULL) STRICT`,
  `INSERT INTO change_numbers SELECT coalesce((SELECT max(rowid) FROM pages), 0)`
]

/** The trace that a document came with. */
const traces = [`ALTER TABLE documents ADD COLUMN trace TEXT`]

/** Indexes by tenant, so that a tenant's changes and owed deliveries are found without reading those of all others. */
const byTenant = [
  `CREATE INDEX documents_changed_of_tenant ON documents (tenant_id, changed)`,
  `DROP INDEX documents_callback`,
  `CREATE INDEX documents_callback_of_tenant ON documents (tenant_id, callback_next_at) WHERE callback_next_at IS NOT NULL`
]

/**
 * What may be missing or wrong in a page, or, under the number 0, in the document as a whole. There is a row only where there
 * is a warning; as a column behind the text of a page it would be slow to read.
 */
const warnings = [
  `CREATE TABLE warnings (
    document INTEGER NOT NULL REFERENCES documents (seq) ON DELETE CASCADE,
    page INTEGER NOT NULL,
    warnings TEXT NOT NULL,
    PRIMARY KEY (document, page)
  ) STRICT, WITHOUT ROWID`,
  `ALTER TABLE documents ADD COLUMN pages_warned INTEGER NOT NULL DEFAULT 0`
]

/** When a document was last retried: the time since then has nothing to do with its acceptance. */
const retried = [`ALTER TABLE documents ADD COLUMN retried_at INTEGER`]

/**
 * `data_folder` tells this database from every other one, and `generation` grows whenever a server starts or stops: the folder
 * remembers both, so that another database in its place, or an older copy, is noticed.
 *
 * `known_blobs` are the blobs in files that this database has put there itself. Other blobs may be all that is left of
 * documents that it does not know, and are never removed for want of a document.
 */
const folder = [
  `CREATE TABLE data_folder (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    id TEXT NOT NULL,
    generation INTEGER NOT NULL,
    checked_at INTEGER NOT NULL DEFAULT 0
  ) STRICT`,
  `CREATE TABLE known_blobs (hash TEXT PRIMARY KEY) STRICT, WITHOUT ROWID`,
  `INSERT INTO known_blobs SELECT DISTINCT blob FROM documents
    WHERE blob IS NOT NULL AND NOT EXISTS (SELECT 1 FROM blobs WHERE hash = documents.blob)`
]

/** After `lines`: a read that does not name it does not reach it. */
const layout = [`ALTER TABLE pages ADD COLUMN layout BLOB`]

const steps = (statements: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    yield* Effect.forEach(statements, (statement) => sql.unsafe(statement), { discard: true })
  })

const all = {
  "0001_documents": steps(documents),
  "0002_pages": steps(pages),
  "0003_tenant_stats": steps(stats),
  "0004_lifecycle": steps(lifecycle),
  "0005_tenant_limits": steps(limits),
  "0006_resumed": steps(resumed),
  "0007_api_keys": steps(apiKeys),
  "0008_changes": steps(changes),
  "0009_webhooks": steps(webhooks),
  "0010_traces": steps(traces),
  "0011_blobs": steps(blobs),
  "0012_by_tenant": steps(byTenant),
  "0013_warnings": steps(warnings),
  "0014_retried": steps(retried),
  "0015_data_folder": steps(folder),
  "0016_stored_bytes": steps(storedBytes),
  "0017_limit_versions": steps(limitVersions),
  "0018_under_way": steps(underWay),
  "0019_callback_leases": steps(callbackLeases),
  "0020_layout": steps(layout),
  "0021_sealing_key": steps(sealingKey),
  "0022_usage": steps(usage),
  "0023_artifacts": steps(artifacts)
}

/** The names of all steps by their numbers, which grow but need not follow each other. */
export const stepNames: ReadonlyMap<number, string> = new Map(
  Object.keys(all).map((name) => [Number.parseInt(name, 10), name.replace(/^\d+_/, "")])
)

/** The table in which applied steps are recorded. */
export const table = "migrations"

/** Brings the tables to what they were after this many steps, so that a test can bring them on from there. */
export const migrateTo = (count: number) =>
  Migrator.make({})({
    table,
    loader: Migrator.fromRecord(Object.fromEntries(Object.entries(all).slice(0, count)))
  })

export const migrate = migrateTo(Object.keys(all).length)

export const layer = Layer.effectDiscard(migrate)

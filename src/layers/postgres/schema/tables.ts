/**
 * Tables and indexes. Ids and names of tenants sort by their bytes (`COLLATE "C"`), whatever the database's language. Moments
 * are milliseconds since the epoch, by the clock of the database.
 *
 * - Positions (`seq`) are given in the order of acceptance and never change, so a document that goes back to the queue stands
 *   where it stood before.
 * - Partial indexes hold only the documents in one state: their size, and the cost of a claim, do not depend on how many
 *   documents have ended. No index holds what a checkpoint changes, so that it writes to no index of documents.
 * - What is large and rarely read (`document_details`) stays out of the row that every checkpoint rewrites.
 */
const documents = [
  `CREATE TABLE documents (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text COLLATE "C" NOT NULL UNIQUE,
    tenant_id text COLLATE "C" NOT NULL,
    name text NOT NULL,
    source_url text,
    blob text COLLATE "C",
    size bigint,
    priority int NOT NULL,
    status text COLLATE "C" NOT NULL,
    attempt int NOT NULL DEFAULT 0,
    runner text COLLATE "C",
    lease_until bigint,
    not_before bigint,
    sealed_password text,
    password_key text,
    callback text,
    callback_next_at bigint,
    callback_deliveries int NOT NULL DEFAULT 0,
    callback_runner text COLLATE "C",
    callback_leased_until bigint,
    callback_claims int NOT NULL DEFAULT 0,
    page_count int,
    pages_done int NOT NULL DEFAULT 0,
    pages_failed int NOT NULL DEFAULT 0,
    pages_warned int NOT NULL DEFAULT 0,
    result_bytes bigint NOT NULL DEFAULT 0,
    detail_bytes bigint NOT NULL DEFAULT 0,
    failure text,
    accepted_at bigint NOT NULL,
    queued_at bigint,
    started_at bigint,
    retried_at bigint,
    finished_at bigint,
    shared int NOT NULL DEFAULT 0,
    interruptions int NOT NULL DEFAULT 0,
    retries int NOT NULL DEFAULT 0,
    trace text,
    changed bigint NOT NULL
  ) WITH (fillfactor = 70)`,
  `CREATE INDEX documents_by_tenant ON documents (tenant_id, id)`,
  `CREATE INDEX documents_by_status ON documents (tenant_id, status, id)`,
  `CREATE INDEX documents_by_blob ON documents (blob, tenant_id) WHERE blob IS NOT NULL`,
  `CREATE INDEX documents_queued ON documents (tenant_id, priority DESC, seq) WHERE status = 'queued'`,
  `CREATE INDEX documents_resumed ON documents (tenant_id, priority DESC, seq)
    WHERE status = 'queued' AND page_count IS NOT NULL`,
  `CREATE INDEX documents_running ON documents (tenant_id) WHERE status = 'running'`,
  `CREATE INDEX documents_scheduled ON documents (not_before) WHERE status = 'scheduled'`,
  `CREATE INDEX documents_queued_at ON documents (queued_at) WHERE queued_at IS NOT NULL`,
  `CREATE INDEX documents_finished_at ON documents (finished_at) WHERE finished_at IS NOT NULL`,
  `CREATE INDEX documents_callback_of_tenant ON documents (tenant_id, callback_next_at, seq)
    WHERE callback_next_at IS NOT NULL`,
  `CREATE INDEX documents_callback_leased ON documents (tenant_id) WHERE callback_leased_until IS NOT NULL`,
  `CREATE INDEX documents_owed_of_tenant ON documents (tenant_id, finished_at) WHERE callback_next_at IS NOT NULL`,
  `CREATE INDEX documents_changed ON documents (changed)`,
  `CREATE INDEX documents_changed_of_tenant ON documents (tenant_id, changed)`,
  `CREATE TABLE document_details (
    document bigint PRIMARY KEY,
    metadata text NOT NULL,
    outline text NOT NULL,
    warnings text
  )`
]

/** The rows of a document go with it: a trigger removes them. Foreign keys would cost every page a look at its document. */
const pages = [
  `CREATE TABLE pages (
    document bigint NOT NULL,
    number int NOT NULL,
    status text COLLATE "C" NOT NULL,
    width double precision NOT NULL,
    height double precision NOT NULL,
    rotation double precision NOT NULL,
    elapsed_millis double precision NOT NULL,
    error text,
    warnings text,
    changed bigint NOT NULL,
    text text NOT NULL,
    lines text NOT NULL,
    layout bytea,
    PRIMARY KEY (document, number)
  )`,
  // Faster than the default, and not in every build of Postgres.
  `DO $$ BEGIN
    ALTER TABLE pages ALTER COLUMN text SET COMPRESSION lz4, ALTER COLUMN lines SET COMPRESSION lz4;
  EXCEPTION WHEN OTHERS THEN NULL;
  END $$`,
  // Layouts are deflated already.
  `ALTER TABLE pages ALTER COLUMN layout SET STORAGE EXTERNAL`,
  `CREATE INDEX pages_changed ON pages (changed)`,
  `CREATE TABLE page_faults (
    document bigint NOT NULL,
    page int NOT NULL,
    failures int NOT NULL DEFAULT 0,
    deaths int NOT NULL DEFAULT 0,
    PRIMARY KEY (document, page)
  )`
]

const webhooks = [
  `CREATE TABLE webhooks (
    tenant_id text COLLATE "C" PRIMARY KEY,
    url text,
    created_at bigint NOT NULL,
    changed_at bigint NOT NULL,
    secret text NOT NULL,
    secret_created_at bigint NOT NULL,
    old_secret text,
    old_secret_created_at bigint,
    old_secret_expires_at bigint,
    failing_since bigint,
    disabled_at bigint,
    disabled_reason text
  )`,
  `CREATE TABLE deliveries (
    document bigint NOT NULL,
    number int NOT NULL,
    at bigint NOT NULL,
    attempt int NOT NULL,
    endpoint text NOT NULL,
    status int,
    error text,
    elapsed_millis double precision NOT NULL,
    next_at bigint,
    PRIMARY KEY (document, number)
  )`
]

/**
 * What is under way, each until a moment: uploads whose bytes are about to get their document, removals of blobs, and requests
 * with an idempotency key. Ids are never used twice, so one that is held too long names nothing that was made later.
 * `known_blobs` are the blobs in files that this database has put there itself.
 */
const underWay = [
  `CREATE TABLE blob_references (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hash text COLLATE "C" NOT NULL,
    expires_at bigint NOT NULL
  )`,
  `CREATE INDEX blob_references_by_hash ON blob_references (hash)`,
  `CREATE TABLE blob_removals (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hash text COLLATE "C" NOT NULL,
    expires_at bigint NOT NULL
  )`,
  `CREATE INDEX blob_removals_by_hash ON blob_removals (hash)`,
  `CREATE TABLE known_blobs (hash text COLLATE "C" PRIMARY KEY)`,
  // The folder with the originals; several machines share it.
  `CREATE TABLE data_folder (place int PRIMARY KEY CHECK (place = 1), id text NOT NULL, checked_at bigint NOT NULL DEFAULT 0)`,
  `CREATE TABLE idempotency_leases (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    expires_at bigint NOT NULL,
    UNIQUE (tenant_id, key)
  )`,
  `CREATE TABLE idempotency_keys (
    tenant_id text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    fingerprint text NOT NULL,
    bytes bigint NOT NULL,
    body text NOT NULL,
    kept_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, key)
  )`,
  `CREATE INDEX idempotency_keys_kept_at ON idempotency_keys (kept_at)`
]

/** Keys that were revoked are gone. `digest` is a SHA-256 hash; the keys themselves are not stored. */
const tenants = [
  `CREATE TABLE api_keys (
    id text COLLATE "C" PRIMARY KEY,
    place bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id text COLLATE "C" NOT NULL,
    name text NOT NULL,
    digest bytea NOT NULL,
    created_at bigint NOT NULL,
    last_used_at bigint
  )`,
  `CREATE INDEX api_keys_by_tenant ON api_keys (tenant_id, created_at)`,
  // A column that is empty has the tenant's default. A tenant that is back at its defaults keeps its row, for the version.
  `CREATE TABLE tenant_limits (
    tenant_id text COLLATE "C" PRIMARY KEY,
    version bigint NOT NULL UNIQUE,
    documents int,
    weight double precision,
    backlog bigint,
    pages int,
    rate double precision,
    burst bigint,
    max_stored_bytes bigint
  )`
]

export const tables: ReadonlyArray<string> = [...documents, ...pages, ...webhooks, ...underWay, ...tenants]

/** Tables that every process reads and writes. */
export const tableNames: ReadonlyArray<string> = [
  "documents",
  "document_details",
  "pages",
  "page_faults",
  "artifacts",
  "webhooks",
  "deliveries",
  "blob_references",
  "blob_removals",
  "known_blobs",
  "data_folder",
  "idempotency_leases",
  "idempotency_keys",
  "api_keys",
  "tenant_limits",
  "tenant_stats",
  "counter_shards",
  "counter_peaks"
]

/** What of a data folder's database goes where. Leases are not moved: no server runs, so nothing is under way. */
export type ColumnType = "int4" | "int8" | "float8" | "text" | "bytea"

export interface Column {
  readonly name: string
  readonly type: ColumnType
  /** The value in SQLite; the column of the same name when absent. */
  readonly from: string
}

export interface Table {
  readonly name: string
  /** The first so many columns are the key, in whose order rows are moved. */
  readonly key: number
  readonly columns: ReadonlyArray<Column>
  readonly from: string
}

/** Columns of one type, as `name` or `name = value in SQLite`. */
const columns = (type: ColumnType, ...names: ReadonlyArray<string>): ReadonlyArray<Column> =>
  names.map((text) => {
    const [name = "", ...from] = text.split(" = ")
    return { name, type, from: from.length === 0 ? name : from.join(" = ") }
  })

/** A document that was running goes back to its queue, as at every start after a kill. Its attempt stays, and so does its place. */
const documents: Table = {
  name: "documents",
  key: 1,
  from: "documents d",
  columns: [
    ...columns("int8", "seq"),
    ...columns("text", "id", "tenant_id", "name", "source_url", "blob"),
    ...columns("int8", "size"),
    ...columns("int4", "priority"),
    ...columns("text", "status = CASE WHEN d.status = 'running' THEN 'queued' ELSE d.status END"),
    ...columns("int4", "attempt"),
    ...columns("int8", "not_before"),
    ...columns("text", "sealed_password", "password_key", "callback"),
    ...columns("int8", "callback_next_at"),
    ...columns("int4", "callback_deliveries", "callback_claims"),
    ...columns("int4", "page_count", "pages_done", "pages_failed", "pages_warned"),
    ...columns("int8", "result_bytes", "detail_bytes"),
    ...columns("text", "failure"),
    ...columns("int8", "accepted_at", "queued_at", "started_at", "retried_at", "finished_at"),
    ...columns("int4", "shared", "interruptions = d.interruptions + (d.status = 'running')", "retries"),
    ...columns("text", "trace", "pipeline"),
    ...columns("int8", "changed")
  ]
}

const warningsOf = (document: string, page: string) =>
  `(SELECT w.warnings FROM warnings w WHERE w.document = ${document} AND w.page = ${page})`

/** The rowid of a page is the number of its change. */
const pages: Table = {
  name: "pages",
  key: 2,
  from: "pages p",
  columns: [
    ...columns("int8", "document"),
    ...columns("int4", "number"),
    ...columns("text", "status"),
    ...columns("float8", "width", "height", "rotation", "elapsed_millis"),
    ...columns("text", "error", `warnings = ${warningsOf("p.document", "p.number")}`),
    ...columns("int8", "changed = p.rowid"),
    ...columns("text", "text", "lines"),
    ...columns("bytea", "layout"),
    ...columns(
      "text",
      "source = (SELECT s.source FROM page_sources s WHERE s.document = p.document AND s.page = p.number)"
    )
  ]
}

/** The order of rowids is the order in which they were made. */
const artifacts: Table = {
  name: "artifacts",
  key: 4,
  from: "artifacts a",
  columns: [
    ...columns("int8", "document"),
    ...columns("int4", "page"),
    ...columns("text", "stage", "version"),
    ...columns("int8", "place = a.rowid"),
    ...columns("text", "status", "media_type"),
    ...columns("int8", "size"),
    ...columns("text", "error"),
    ...columns("float8", "elapsed_millis"),
    ...columns("int8", "created_at"),
    ...columns("text", "blob"),
    ...columns("bytea", "content")
  ]
}

const details: Table = {
  name: "document_details",
  key: 1,
  from: "document_details x",
  columns: [
    ...columns("int8", "document"),
    ...columns("text", "metadata", "outline", `warnings = ${warningsOf("x.document", "0")}`)
  ]
}

/** All versions, also of tenants that are back at their defaults: others have seen them. */
const limits: Table = {
  name: "tenant_limits",
  key: 1,
  from: "tenant_limit_versions v LEFT JOIN tenant_limits l USING (tenant_id)",
  columns: [
    ...columns("text", "tenant_id"),
    ...columns("int8", "version"),
    ...columns("int4", "documents"),
    ...columns("float8", "weight"),
    ...columns("int8", "backlog"),
    ...columns("int4", "pages"),
    ...columns("float8", "rate"),
    ...columns("int8", "burst", "max_stored_bytes"),
    ...columns("text", "pipeline")
  ]
}

const keys: Table = {
  name: "api_keys",
  key: 1,
  from: "api_keys",
  columns: [
    ...columns("int8", "place = api_keys.rowid"),
    ...columns("text", "id", "tenant_id", "name"),
    ...columns("bytea", "digest"),
    ...columns("int8", "created_at", "last_used_at")
  ]
}

const webhooks: Table = {
  name: "webhooks",
  key: 1,
  from: "webhooks",
  columns: [
    ...columns("text", "tenant_id", "url"),
    ...columns("int8", "created_at", "changed_at"),
    ...columns("text", "secret"),
    ...columns("int8", "secret_created_at"),
    ...columns("text", "old_secret"),
    ...columns("int8", "old_secret_created_at", "old_secret_expires_at", "failing_since", "disabled_at"),
    ...columns("text", "disabled_reason")
  ]
}

const deliveries: Table = {
  name: "deliveries",
  key: 2,
  from: "deliveries",
  columns: [
    ...columns("int8", "document"),
    ...columns("int4", "number"),
    ...columns("int8", "at"),
    ...columns("int4", "attempt"),
    ...columns("text", "endpoint"),
    ...columns("int4", "status"),
    ...columns("text", "error"),
    ...columns("float8", "elapsed_millis"),
    ...columns("int8", "next_at")
  ]
}

const faults: Table = {
  name: "page_faults",
  key: 2,
  from: "page_faults",
  columns: [...columns("int8", "document"), ...columns("int4", "page", "failures", "deaths")]
}

const answers: Table = {
  name: "idempotency_keys",
  key: 2,
  from: "idempotency_keys",
  columns: [
    ...columns("text", "tenant_id", "key", "fingerprint"),
    ...columns("int8", "bytes"),
    ...columns("text", "body"),
    ...columns("int8", "kept_at")
  ]
}

/** What tenants used, by day. */
const usage: Table = {
  name: "usage",
  key: 3,
  from: "usage",
  columns: [
    ...columns("text", "tenant_id", "day", "resource"),
    ...columns("int8", "calls"),
    ...columns("float8", "downstream_millis", "tokens", "cost"),
    ...columns("int8", "pages"),
    ...columns("float8", "worker_millis")
  ]
}

/** Tenants before their documents: a document that comes waits for no limit, and no key is missing meanwhile. */
export const tables: ReadonlyArray<Table> = [
  keys,
  limits,
  webhooks,
  answers,
  usage,
  documents,
  details,
  pages,
  artifacts,
  faults,
  deliveries
]

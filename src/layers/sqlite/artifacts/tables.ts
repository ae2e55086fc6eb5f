/**
 * What stages made of pages, or, under the page 0, of documents. The content is the last column: SQLite reads a long row only
 * as far as it is asked to. For the same reason the source of a page, which few pages have, is not a column behind its text.
 */
export const artifacts: ReadonlyArray<string> = [
  `CREATE TABLE artifacts (
    document INTEGER NOT NULL REFERENCES documents (seq) ON DELETE CASCADE,
    page INTEGER NOT NULL,
    stage TEXT NOT NULL,
    version TEXT NOT NULL,
    status TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size INTEGER NOT NULL,
    error TEXT,
    elapsed_millis REAL NOT NULL,
    created_at INTEGER NOT NULL,
    blob TEXT,
    content BLOB,
    PRIMARY KEY (document, page, stage, version)
  ) STRICT`,
  `CREATE INDEX artifacts_by_blob ON artifacts (blob) WHERE blob IS NOT NULL`,
  `CREATE TABLE page_sources (
    document INTEGER NOT NULL REFERENCES documents (seq) ON DELETE CASCADE,
    page INTEGER NOT NULL,
    source TEXT NOT NULL,
    PRIMARY KEY (document, page)
  ) STRICT, WITHOUT ROWID`,
  `ALTER TABLE documents ADD COLUMN pipeline TEXT`,
  `ALTER TABLE tenant_limits ADD COLUMN pipeline TEXT`
]

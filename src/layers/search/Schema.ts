// The tables of the index, in a database of their own. What they hold can be made again of the documents, so that a table of another
// version is dropped and not converted.
import type { DatabaseSync } from "node:sqlite"

const version = 1

const tables = `
  CREATE TABLE tenant (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
  -- state: 0 while a document is put in, 1 when searches find it, 2 when it is removed. A document that is put in again is a new row,
  -- which takes the place of the old one when it is whole.
  CREATE TABLE document (
    id INTEGER PRIMARY KEY, tenant INTEGER NOT NULL, name TEXT NOT NULL, version TEXT NOT NULL, model INTEGER, state INTEGER NOT NULL,
    chunks INTEGER NOT NULL DEFAULT 0, vectors INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX document_by_name ON document (tenant, name, state);
  CREATE INDEX removed_document ON document (id) WHERE state = 2;
  CREATE TABLE chunk (
    id INTEGER PRIMARY KEY, document INTEGER NOT NULL, first_page INTEGER NOT NULL, last_page INTEGER NOT NULL, body TEXT NOT NULL
  ) STRICT;
  CREATE INDEX chunk_by_document ON chunk (document, first_page, last_page);
  -- A model makes vectors of one length: its table is "vec_" and its id.
  CREATE TABLE model (id INTEGER PRIMARY KEY, name TEXT NOT NULL, dimensions INTEGER NOT NULL, UNIQUE (name, dimensions)) STRICT;
  -- scope: words such as t5 and d12 for the tenant and the document.
  CREATE VIRTUAL TABLE fts USING fts5(
    body, scope, content='', contentless_delete=1, tokenize="porter unicode61 remove_diacritics 2"
  );
  INSERT INTO fts (fts, rank) VALUES ('rank', 'bm25(1.0, 0.0)');
`

const names = (database: DatabaseSync): ReadonlyArray<string> =>
  database
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'")
    .all()
    .map(({ name }) => String(name))

/** Makes the tables, or keeps those that are there. */
export const prepareTables = (database: DatabaseSync): void => {
  const { user_version: found } = database.prepare("PRAGMA user_version").get() ?? {}
  if (found === version) return
  database.exec("BEGIN IMMEDIATE")
  // Virtual tables first: dropping one drops its own tables too.
  const isVirtual = (name: string) => name === "fts" || /^vec_\d+$/.test(name)
  for (const name of names(database).filter(isVirtual)) database.exec(`DROP TABLE "${name}"`)
  for (const name of names(database)) database.exec(`DROP TABLE "${name}"`)
  database.exec(tables)
  database.exec(`PRAGMA user_version = ${version}`)
  database.exec("COMMIT")
}

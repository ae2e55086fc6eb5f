// Changes of the index. Each call is one short transaction, so that a search never waits for long.
import { embeddedText } from "../../domain/chunk/EmbeddedText.ts"
import { indexedText } from "../../domain/search/Terms.ts"
import type { DocumentKey, IndexEntry, PutDocument } from "../../services/search/SearchIndex.ts"
import { openIndex } from "./Connection.ts"
import { prepareTables } from "./Schema.ts"

/** Rows that are removed in one transaction. */
const portion = 500

/** The row of a document that is put in, and how many chunks it has already. */
export interface Begun {
  readonly row: number
  readonly have: number
}

export class IndexWriter {
  readonly #database
  readonly #hasVectors: boolean

  constructor(filename: string) {
    const { database, hasVectors } = openIndex(filename, false)
    this.#database = database
    this.#hasVectors = hasVectors
    try {
      prepareTables(database)
    } catch (error) {
      database.close()
      throw error
    }
  }

  close(): void {
    this.#database.exec("PRAGMA optimize")
    this.#database.close()
  }

  /** Of a damaged file nothing more is asked. */
  letGo(): void {
    this.#database.close()
  }

  #transaction<A>(work: () => A): A {
    this.#database.exec("BEGIN IMMEDIATE")
    try {
      const result = work()
      this.#database.exec("COMMIT")
      return result
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK")
      throw error
    }
  }

  #idOf(sql: string, ...values: ReadonlyArray<string | number>): number {
    const row = this.#database.prepare(sql).get(...values)
    return Number(row?.["id"] ?? 0)
  }

  /** The row of a tenant; 0 when there is none. */
  #tenant(name: string): number {
    return this.#idOf("SELECT id FROM tenant WHERE name = ?", name)
  }

  /** Of no model when there are no vectors here. */
  #model(name: string, dimensions: number): number {
    const found = this.#idOf("SELECT id FROM model WHERE name = ? AND dimensions = ?", name, dimensions)
    if (found > 0) return found
    const id = this.#idOf("INSERT INTO model (name, dimensions) VALUES (?, ?) RETURNING id", name, dimensions)
    this.#database.exec(
      `CREATE VIRTUAL TABLE vec_${id} USING vec0(id INTEGER PRIMARY KEY, tenant INTEGER PARTITION KEY, ` +
        `emb FLOAT[${dimensions}] distance_metric=cosine)`
    )
    return id
  }

  /** Begins to put a document in, or goes on with what was begun of the same version; searches do not find it yet. */
  begin({ document, tenant, version }: PutDocument): Begun {
    return this.#transaction(() => {
      this.#database.prepare("INSERT OR IGNORE INTO tenant (name) VALUES (?)").run(tenant)
      const id = this.#tenant(tenant)
      this.#database
        .prepare("UPDATE document SET state = 2 WHERE tenant = ? AND name = ? AND state = 0 AND version <> ?")
        .run(id, document, version)
      const row =
        this.#idOf(
          "SELECT id FROM document WHERE tenant = ? AND name = ? AND state = 0 AND version = ?",
          id,
          document,
          version
        ) ||
        this.#idOf(
          "INSERT INTO document (tenant, name, version, state) VALUES (?, ?, ?, 0) RETURNING id",
          id,
          document,
          version
        )
      return { row, have: this.#idOf("SELECT chunks AS id FROM document WHERE id = ?", row) }
    })
  }

  /** Adds a portion. `model` is the one that made the vectors. */
  add(row: number, entries: ReadonlyArray<IndexEntry>, model: string | undefined): void {
    this.#transaction(() => {
      const tenant = this.#idOf("SELECT tenant AS id FROM document WHERE id = ? AND state = 0", row)
      if (tenant === 0) throw new Error("the document was removed meanwhile")
      const addChunk = this.#database.prepare(
        "INSERT INTO chunk (document, first_page, last_page, body) VALUES (?, ?, ?, ?) RETURNING id"
      )
      const addWords = this.#database.prepare("INSERT INTO fts (rowid, body, scope) VALUES (?, ?, ?)")
      const scope = `t${tenant} d${row}`
      let vectors = 0
      let modelRow = 0
      for (const { chunk, vector } of entries) {
        const id = Number(addChunk.get(row, chunk.pages[0], chunk.pages[1], JSON.stringify(chunk))?.["id"])
        addWords.run(id, indexedText(embeddedText(chunk)), scope)
        if (vector === undefined || model === undefined || !this.#hasVectors) continue
        modelRow ||= this.#model(model, vector.length)
        this.#database
          .prepare(`INSERT INTO vec_${modelRow} (id, tenant, emb) VALUES (?, ?, ?)`)
          .run(BigInt(id), BigInt(tenant), new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength))
        vectors++
      }
      this.#database
        .prepare(
          "UPDATE document SET chunks = chunks + ?, vectors = vectors + ?, model = coalesce(nullif(?, 0), model) WHERE id = ?"
        )
        .run(entries.length, vectors, modelRow, row)
    })
  }

  /** From now on searches find the document, and not what was there of it before. */
  commit(row: number, { document, tenant }: DocumentKey): void {
    this.#transaction(() => {
      const id = this.#tenant(tenant)
      this.#database
        .prepare("UPDATE document SET state = 2 WHERE tenant = ? AND name = ? AND state = 1")
        .run(id, document)
      const { changes } = this.#database.prepare("UPDATE document SET state = 1 WHERE id = ? AND state = 0").run(row)
      if (Number(changes) === 0) throw new Error("the document was removed meanwhile")
    })
  }

  /** From now on no search finds the document; what is being put in of it cannot be committed. */
  remove({ document, tenant }: DocumentKey): void {
    this.#transaction(() => {
      this.#database
        .prepare("UPDATE document SET state = 2 WHERE tenant = ? AND name = ? AND state < 2")
        .run(this.#tenant(tenant), document)
    })
  }

  /** Removes some rows of removed documents; answers whether there may be more. */
  purge(): boolean {
    const row = this.#database.prepare("SELECT id, model FROM document WHERE state = 2 LIMIT 1").get()
    if (row === undefined) return false
    const document = Number(row["id"])
    const model = Number(row["model"] ?? 0)
    this.#transaction(() => {
      const ids = this.#database
        .prepare("SELECT id FROM chunk WHERE document = ? LIMIT ?")
        .all(document, portion)
        .map(({ id }) => Number(id))
      for (const id of ids) {
        this.#database.prepare("DELETE FROM fts WHERE rowid = ?").run(id)
        if (model > 0 && this.#hasVectors)
          this.#database.prepare(`DELETE FROM vec_${model} WHERE id = ?`).run(BigInt(id))
        this.#database.prepare("DELETE FROM chunk WHERE id = ?").run(id)
      }
      if (ids.length < portion) this.#database.prepare("DELETE FROM document WHERE id = ?").run(document)
    })
    return true
  }
}

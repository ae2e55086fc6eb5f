// Searches, on a connection that only reads: no change of the index keeps it waiting.
import { fuse } from "../../domain/search/Fusion.ts"
import { anyOf, queryTerms } from "../../domain/search/Terms.ts"
import type { IndexFigures, IndexQuery } from "../../services/search/SearchIndex.ts"
import { openIndex } from "./Connection.ts"
import type { NamedDocument, NamedHit } from "./IndexMessages.ts"

/** What a search takes of each ranking. */
const mostRanked = 50
/** Of a search within some documents or pages: chunks whose vectors are looked at. */
const mostWithin = 20_000

/** What a search is limited to, by rows of the index. */
interface Limits {
  readonly tenant: number
  /** Undefined for all of the tenant. */
  readonly documents: ReadonlyArray<number> | undefined
  readonly from: number
  readonly to: number
  readonly count: number
}

export class IndexReader {
  readonly #database
  readonly #hasVectors: boolean

  constructor(filename: string) {
    const { database, hasVectors } = openIndex(filename, true)
    this.#database = database
    this.#hasVectors = hasVectors
  }

  close(): void {
    this.#database.close()
  }

  #tenant(name: string): number | undefined {
    const row = this.#database.prepare("SELECT id FROM tenant WHERE name = ?").get(name)
    return row === undefined ? undefined : Number(row["id"])
  }

  search(name: string, query: IndexQuery): ReadonlyArray<NamedHit> {
    const tenant = this.#tenant(name)
    if (tenant === undefined) return []
    const { documents, from = 1, limit, text, to = Number.MAX_SAFE_INTEGER, vector } = query
    const rows = documents?.flatMap((document) => this.#documentRow(tenant, document) ?? [])
    if (rows?.length === 0) return []
    const limits: Limits = { tenant, documents: rows, from, to, count: Math.max(mostRanked, limit) }
    // One snapshot for all statements of the search.
    this.#database.exec("BEGIN")
    try {
      const rankings = [this.#byWords(text, limits), ...(vector === undefined ? [] : [this.#byVector(vector, limits)])]
      return fuse(rankings)
        .slice(0, limit)
        .flatMap(({ id, score }) => this.#hit(tenant, id, score))
    } finally {
      // An error may have ended it.
      if (this.#database.isTransaction) this.#database.exec("COMMIT")
    }
  }

  #documentRow(tenant: number, document: string): number | undefined {
    const row = this.#database
      .prepare("SELECT id FROM document WHERE tenant = ? AND name = ? AND state = 1")
      .get(tenant, document)
    return row === undefined ? undefined : Number(row["id"])
  }

  #byWords(text: string, { count, documents, from, tenant, to }: Limits): ReadonlyArray<number> {
    const terms = queryTerms(text)
    if (terms.length === 0) return []
    const within = documents === undefined ? "" : ` AND scope : (${documents.map((row) => `"d${row}"`).join(" OR ")})`
    return this.#database
      .prepare(
        `SELECT chunk.id FROM fts CROSS JOIN chunk ON chunk.id = fts.rowid CROSS JOIN document ON document.id = chunk.document
         WHERE fts MATCH ? AND document.tenant = ? AND document.state = 1 AND chunk.first_page <= ? AND chunk.last_page >= ?
         ORDER BY fts.rank LIMIT ?`
      )
      .all(`scope : "t${tenant}"${within} AND body : (${anyOf(terms)})`, tenant, to, from, count)
      .map(({ id }) => Number(id))
  }

  #byVector({ model, values }: NonNullable<IndexQuery["vector"]>, limits: Limits): ReadonlyArray<number> {
    const row = this.#database
      .prepare("SELECT id FROM model WHERE name = ? AND dimensions = ?")
      .get(model, values.length)
    if (row === undefined || !this.#hasVectors) return []
    const within = this.#chunksWithin(limits)
    // Some may be of documents that are being put in or were removed.
    const asked = limits.count * 2
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
    const found = this.#database
      .prepare(
        `SELECT id FROM vec_${Number(row["id"])} WHERE emb MATCH ? AND k = ? AND tenant = ?
         ${within === undefined ? "" : "AND id IN (SELECT value FROM json_each(?))"} ORDER BY distance`
      )
      .all(bytes, asked, BigInt(limits.tenant), ...(within === undefined ? [] : [JSON.stringify(within)]))
    const isReady = this.#database.prepare(
      "SELECT 1 FROM chunk JOIN document ON document.id = chunk.document WHERE chunk.id = ? AND document.tenant = ? AND document.state = 1"
    )
    return found
      .map(({ id }) => Number(id))
      .filter((id) => isReady.get(id, limits.tenant) !== undefined)
      .slice(0, limits.count)
  }

  /** The chunks that a search is limited to; undefined for all of the tenant. */
  #chunksWithin({ documents, from, tenant, to }: Limits): ReadonlyArray<number> | undefined {
    if (documents === undefined && from <= 1 && to === Number.MAX_SAFE_INTEGER) return undefined
    return this.#database
      .prepare(
        `SELECT chunk.id FROM document JOIN chunk ON chunk.document = document.id
         WHERE document.tenant = ? AND document.state = 1 AND chunk.first_page <= ? AND chunk.last_page >= ?
         ${documents === undefined ? "" : "AND document.id IN (SELECT value FROM json_each(?))"} LIMIT ?`
      )
      .all(tenant, to, from, ...(documents === undefined ? [] : [JSON.stringify(documents)]), mostWithin)
      .map(({ id }) => Number(id))
  }

  #hit(tenant: number, id: number, score: number): ReadonlyArray<NamedHit> {
    const row = this.#database
      .prepare(
        "SELECT chunk.body, document.name FROM chunk JOIN document ON document.id = chunk.document WHERE chunk.id = ? AND document.tenant = ?"
      )
      .get(id, tenant)
    return row === undefined ? [] : [{ document: String(row["name"]), chunk: String(row["body"]), score }]
  }

  documents(after: NamedDocument | undefined, limit: number): ReadonlyArray<NamedDocument> {
    return this.#database
      .prepare(
        `SELECT DISTINCT tenant.name AS tenant, document.name AS document FROM document JOIN tenant ON tenant.id = document.tenant
         WHERE document.state < 2 AND (tenant.name, document.name) > (?, ?) ORDER BY tenant.name, document.name LIMIT ?`
      )
      .all(after?.tenant ?? "", after?.document ?? "", limit)
      .map((row) => ({ tenant: String(row["tenant"]), document: String(row["document"]) }))
  }

  figures(name: string | undefined): IndexFigures {
    const tenant = name === undefined ? undefined : (this.#tenant(name) ?? 0)
    const row = this.#database
      .prepare(
        `SELECT count(*) AS documents, coalesce(sum(chunks), 0) AS chunks, coalesce(sum(vectors), 0) AS vectors
         FROM document WHERE state = 1 ${tenant === undefined ? "" : "AND tenant = ?"}`
      )
      .get(...(tenant === undefined ? [] : [tenant]))
    const number = (field: string) => Number(row?.[field] ?? 0)
    return { documents: number("documents"), chunks: number("chunks"), vectors: number("vectors") }
  }
}

/** `Artifacts` in SQLite, and what the document store's other parts do with artifacts. */
import { Effect, Option } from "effect"
import { BlobHash, type DocumentId, type TenantId } from "../../../domain/Ids.ts"
import type { Artifact } from "../../../domain/pipeline/Artifact.ts"
import {
  type ArtifactKey,
  Artifacts,
  type ArtifactsOptions,
  type NewArtifact,
  type StageCounts
} from "../../../services/store/Artifacts.ts"
import { BlobReferenceExpired } from "../../../services/store/BlobReferences.ts"
import type { Rerun } from "../../../services/store/NewDocument.ts"
import { artifactColumns, artifactValues, toArtifact, toContent, toStageCounts } from "../../rows/artifactRows.ts"
import { number, optionalText, type Row } from "../../rows/documentRows.ts"
import type { Read } from "../database/Read.ts"
import type { Statements } from "../database/SqliteDatabase.ts"
import { release } from "../documents/SqliteBlobReferences.ts"

/** The first of these references that has run out. */
export const expiredReference = (
  db: Statements,
  artifacts: ReadonlyArray<NewArtifact>,
  now: number
): BlobReferenceExpired | undefined => {
  const lost = artifacts
    .flatMap(({ reference }) => reference ?? [])
    .find(
      ({ id }) => db.get("SELECT 1 FROM blob_references WHERE id = ? AND expires_at > ?", Number(id), now) === undefined
    )
  return lost && new BlobReferenceExpired({ hash: lost.hash })
}

/** Artifacts that are there stay as they are; answers with the bytes of the others. Ends the references of all. */
export const writeArtifacts = (
  db: Statements,
  seq: number,
  artifacts: ReadonlyArray<NewArtifact>,
  now: number
): number => {
  let bytes = 0
  for (const artifact of artifacts) {
    const values = artifactValues(artifact)
    const added = db.run(
      `INSERT INTO artifacts (document, ${artifactColumns}, blob, content)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
      seq,
      values.page,
      values.stage,
      values.version,
      values.status,
      values.mediaType,
      values.size,
      values.error ?? null,
      values.elapsedMillis,
      now,
      values.blob ?? null,
      values.content ?? null
    )
    if (added > 0) bytes += values.size
    if (artifact.reference !== undefined) release(db, artifact.reference)
  }
  return bytes
}

const blobsIn = (rows: ReadonlyArray<Row>): ReadonlyArray<BlobHash> =>
  rows.flatMap((row) => {
    const blob = optionalText(row, "blob")
    return blob === undefined ? [] : [BlobHash.make(blob)]
  })

const sizeOf = (rows: ReadonlyArray<Row>): number => rows.reduce((sum, row) => sum + number(row, "size"), 0)

/** The blobs of a document's artifacts, each once. */
export const blobsOf = (db: Statements, seq: number): ReadonlyArray<BlobHash> =>
  blobsIn(db.all("SELECT DISTINCT blob FROM artifacts WHERE document = ? AND blob IS NOT NULL", seq))

/** Removes artifacts that failed or were skipped; they have neither bytes nor blobs. */
export const removeUnfinished = (db: Statements, seq: number): void => {
  db.run("DELETE FROM artifacts WHERE document = ? AND status <> 'done'", seq)
}

/** Removes those artifacts. Answers with their bytes and blobs. */
export const removedArtifacts = (
  db: Statements,
  condition: string,
  ...given: ReadonlyArray<string | number | null>
): { readonly bytes: number; readonly blobs: ReadonlyArray<BlobHash> } => {
  const rows = db.all(`DELETE FROM artifacts WHERE ${condition} RETURNING size, blob`, ...given)
  return { bytes: sizeOf(rows), blobs: blobsIn(rows) }
}

/** Removes what the stage has made. Answers with its bytes and blobs. */
export const removeOfStage = (db: Statements, seq: number, { stage, version }: Rerun) =>
  removedArtifacts(db, "document = ?1 AND stage = ?2 AND (?3 IS NULL OR version = ?3)", seq, stage, version ?? null)

const ofDocument = "document = (SELECT seq FROM documents WHERE id = ? AND tenant_id = ?)"

const list = (
  db: Statements,
  tenant: TenantId,
  id: DocumentId,
  { after, limit, page, stage }: ArtifactsOptions
): ReadonlyArray<Artifact> => {
  const conditions = [
    { sql: "page = ?", given: page === undefined ? [] : [page] },
    { sql: "stage = ?", given: stage === undefined ? [] : [stage] },
    {
      sql: "(page, stage, version) > (?, ?, ?)",
      given: after === undefined ? [] : [after.page ?? 0, after.stage, after.version]
    }
  ].filter(({ given }) => given.length > 0)
  const where = [ofDocument, ...conditions.map(({ sql }) => sql)].join(" AND ")
  return db
    .all(
      `SELECT ${artifactColumns} FROM artifacts WHERE ${where} ORDER BY page, stage, version LIMIT ?`,
      id,
      tenant,
      ...conditions.flatMap(({ given }) => given),
      limit
    )
    .map(toArtifact)
}

const find = (db: Statements, tenant: TenantId, id: DocumentId, { page = 0, stage, version }: ArtifactKey) =>
  db.get(
    `SELECT ${artifactColumns}, blob, content FROM artifacts
      WHERE ${ofDocument} AND page = ? AND stage = ? AND version = coalesce(?, version) ORDER BY rowid DESC LIMIT 1`,
    id,
    tenant,
    page,
    stage,
    version ?? null
  )

const counted = (condition: string) => `
  SELECT stage, version, sum(status = 'done') AS done, sum(status = 'skipped') AS skipped, sum(status = 'failed') AS failed
  FROM artifacts WHERE ${condition} GROUP BY stage, version ORDER BY stage, version`
const countedBySeq = counted("document = ?")
const countedById = counted(ofDocument)

export const countsOf = (db: Statements, seq: number): ReadonlyArray<StageCounts> =>
  db.all(countedBySeq, seq).map(toStageCounts)

export const artifacts = (read: Read) =>
  Artifacts.of({
    list: Effect.fn("Artifacts.list")((tenant, id, options) =>
      read("list artifacts", (db) => list(db, tenant, id, options))
    ),
    find: Effect.fn("Artifacts.find")((tenant, id, key) =>
      read("find an artifact", (db) =>
        Option.map(Option.fromUndefinedOr(find(db, tenant, id, key)), (row) => ({
          artifact: toArtifact(row),
          content: toContent(row)
        }))
      )
    ),
    counts: Effect.fn("Artifacts.counts")((tenant, id) =>
      read("count artifacts", (db) => db.all(countedById, id, tenant).map(toStageCounts))
    )
  })

/** `Artifacts` in Postgres, and what the document store's other parts do with artifacts. */
import { Effect, Option } from "effect"
import { Artifacts, type ArtifactsOptions, type NewArtifact } from "../../../services/store/Artifacts.ts"
import { artifactColumns, artifactValues, toArtifact, toContent, toStageCounts } from "../../rows/artifactRows.ts"
import { byteas, float8s, int4, int4s, int8, int8s, text, texts } from "../database/Parameters.ts"
import type { PostgresDatabase, Statements } from "../database/PostgresDatabase.ts"

/** Arguments for `save_artifacts`. */
export const artifactArguments = (artifacts: ReadonlyArray<NewArtifact>) => {
  const all = artifacts.map(artifactValues)
  return [
    int8s(artifacts.flatMap(({ reference }) => (reference === undefined ? [] : [Number(reference.id)]))),
    int4s(all.map(({ page }) => page)),
    texts(all.map(({ stage }) => stage)),
    texts(all.map(({ version }) => version)),
    texts(all.map(({ status }) => status)),
    texts(all.map(({ mediaType }) => mediaType)),
    int8s(all.map(({ size }) => size)),
    texts(all.map(({ error }) => error)),
    float8s(all.map(({ elapsedMillis }) => elapsedMillis)),
    texts(all.map(({ blob }) => blob)),
    byteas(all.map(({ content }) => content))
  ]
}

const ofDocument = "document = (SELECT seq FROM documents WHERE id = $1 AND tenant_id = $2)"

const listSql = `
  SELECT ${artifactColumns} FROM artifacts
  WHERE ${ofDocument} AND ($3::int IS NULL OR page = $3) AND ($4::text IS NULL OR stage = $4)
    AND ($5::int IS NULL OR (page, stage, version) > ($5, $6::text, $7::text))
  ORDER BY page, stage, version LIMIT $8`

const listArguments = ({ after, limit, page, stage }: ArtifactsOptions) => [
  int4(page),
  text(stage),
  int4(after === undefined ? undefined : (after.page ?? 0)),
  text(after?.stage),
  text(after?.version),
  int8(limit)
]

const findSql = `
  SELECT ${artifactColumns}, blob, content FROM artifacts
  WHERE ${ofDocument} AND page = $3 AND stage = $4 AND ($5::text IS NULL OR version = $5) ORDER BY place DESC LIMIT 1`

const countSql = (condition: string) => `
  SELECT stage, version, count(*) FILTER (WHERE status = 'done') AS done, count(*) FILTER (WHERE status = 'skipped') AS skipped,
    count(*) FILTER (WHERE status = 'failed') AS failed
  FROM artifacts WHERE ${condition} GROUP BY stage, version ORDER BY stage, version`
const countBySeq = countSql("document = $1")
const countById = countSql(ofDocument)

export const countsOf = (db: Statements, seq: ReturnType<typeof int8>) =>
  Effect.map(db.all(countBySeq, seq), (rows) => rows.map(toStageCounts))

export const artifacts = ({ run }: PostgresDatabase["Service"]) =>
  Artifacts.of({
    list: Effect.fn("Artifacts.list")((tenant, id, options) =>
      Effect.map(
        run("list artifacts", (db) => db.all(listSql, id, tenant, ...listArguments(options))),
        (rows) => rows.map(toArtifact)
      )
    ),
    find: Effect.fn("Artifacts.find")((tenant, id, { page = 0, stage, version }) =>
      Effect.map(
        run("find an artifact", (db) => db.get(findSql, id, tenant, int4(page), stage, text(version))),
        (row) =>
          Option.map(Option.fromUndefinedOr(row), (found) => ({
            artifact: toArtifact(found),
            content: toContent(found)
          }))
      )
    ),
    counts: Effect.fn("Artifacts.counts")((tenant, id) =>
      Effect.map(
        run("count artifacts", (db) => db.all(countById, id, tenant)),
        (rows) => rows.map(toStageCounts)
      )
    )
  })

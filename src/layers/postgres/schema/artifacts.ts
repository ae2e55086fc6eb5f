/**
 * What stages made of documents and their pages, and the pipeline and the source of text that they brought with them. Functions
 * that have changed since the first step are made anew; they are written where they always were.
 */
import { accept, claimRemoval, retry, retriedChecks } from "./acceptance.ts"
import { forgetDocument } from "./counters.ts"
import { addPages, savePages, remove, removeEnded, withdraw } from "./runs.ts"
import { acceptWithBytes, removeBlob } from "./smallBlobs.ts"

/** Under the page 0 are artifacts of the document as a whole. `place` is the order in which they were made. */
const tables = [
  `CREATE TABLE artifacts (
    document bigint NOT NULL,
    page int NOT NULL,
    stage text COLLATE "C" NOT NULL,
    version text COLLATE "C" NOT NULL,
    place bigint GENERATED ALWAYS AS IDENTITY,
    status text COLLATE "C" NOT NULL,
    media_type text NOT NULL,
    size bigint NOT NULL,
    error text,
    elapsed_millis double precision NOT NULL,
    created_at bigint NOT NULL,
    blob text COLLATE "C",
    content bytea,
    PRIMARY KEY (document, page, stage, version)
  )`,
  `CREATE INDEX artifacts_by_blob ON artifacts (blob) WHERE blob IS NOT NULL`,
  `ALTER TABLE documents ADD COLUMN pipeline text COLLATE "C"`,
  `ALTER TABLE pages ADD COLUMN source text COLLATE "C"`,
  `ALTER TABLE tenant_limits ADD COLUMN pipeline text COLLATE "C"`
]

const changedSignatures = [
  `DROP FUNCTION IF EXISTS accept_document(text, text, text, text, text, bigint, int, bigint, text, text, text, text, boolean, bigint,
    bigint, bigint, double precision)`,
  `DROP FUNCTION IF EXISTS accept_with_bytes(bytea, text, text, text, text, text, bigint, int, bigint, text, text, text, text, boolean,
    bigint, bigint, bigint, double precision)`,
  `DROP FUNCTION IF EXISTS add_pages(bigint, int[], text[], double precision[], double precision[], double precision[],
    double precision[], text[], text[], text[], text[], bytea[])`,
  `DROP FUNCTION IF EXISTS save_pages(text, int, int[], text[], double precision[], double precision[], double precision[],
    double precision[], text[], text[], text[], text[], bytea[])`,
  `DROP FUNCTION IF EXISTS withdraw_document(text, text, bigint, bigint)`,
  `DROP FUNCTION IF EXISTS remove_ended(double precision, int, int, bigint)`,
  `DROP FUNCTION IF EXISTS remove_document(bigint, bigint)`
]

/** Claims the removal of those blobs that nothing refers to, always in one order. Answers with the claims as JSON. */
const claimRemovals = `
  CREATE FUNCTION claim_removals(hashes text[], c_millis bigint) RETURNS text LANGUAGE plpgsql AS $$
  DECLARE one text; claim record; claims jsonb := '[]';
  BEGIN
    FOR one IN SELECT DISTINCT h FROM unnest(hashes) h WHERE h IS NOT NULL ORDER BY h LOOP
      claim := claim_removal(one, c_millis);
      IF claim.removal IS NOT NULL THEN
        claims := claims || jsonb_build_object('id', claim.removal::text, 'hash', one, 'claimedAt', claim.claimed_at);
      END IF;
    END LOOP;
    RETURN claims::text;
  END $$
`

/** Answers with `lost` for the fence, `expired` with a reference that has run out, or `saved`. Artifacts that are there stay. */
const save = `
  CREATE FUNCTION save_artifacts(
    f_id text, f_attempt int, given bigint[], pages int[], stages text[], versions text[], statuses text[], media_types text[],
    sizes bigint[], errors text[], elapsed double precision[], blobs text[], contents bytea[]
  ) RETURNS TABLE (outcome text, reference bigint) LANGUAGE plpgsql AS $$
  DECLARE held bigint := held_document(f_id, f_attempt); at bigint := store_now(); added bigint;
  BEGIN
    outcome := 'saved';
    IF held IS NULL THEN
      outcome := 'lost';
    ELSE
      WITH ended AS (DELETE FROM blob_references WHERE id = ANY(given) AND expires_at > at RETURNING id)
        SELECT one INTO reference FROM unnest(given) one WHERE one NOT IN (SELECT id FROM ended) LIMIT 1;
      IF reference IS NOT NULL THEN outcome := 'expired'; END IF;
    END IF;
    IF outcome = 'saved' THEN
      WITH made AS (
        INSERT INTO artifacts AS kept
          (document, page, stage, version, status, media_type, size, error, elapsed_millis, created_at, blob, content)
        SELECT held, u.page, u.stage, u.version, u.status, u.media_type, u.size, u.error, u.elapsed, at, u.blob, u.content
        FROM unnest(pages, stages, versions, statuses, media_types, sizes, errors, elapsed, blobs, contents)
          WITH ORDINALITY AS u (page, stage, version, status, media_type, size, error, elapsed, blob, content, place)
        ORDER BY u.place
        ON CONFLICT DO NOTHING RETURNING kept.size
      ) SELECT coalesce(sum(made.size), 0) INTO added FROM made;
      IF added > 0 THEN UPDATE documents SET result_bytes = result_bytes + added WHERE seq = held; END IF;
    END IF;
    RETURN NEXT;
  END $$
`

/** Outcomes as of a retry. Pages are read again that have an artifact of the stage, or of its version. */
const rerun = `
  CREATE FUNCTION rerun_document(
    r_tenant text, r_id text, r_stage text, r_version text, r_pages boolean, r_sealed_password text, r_password_key text,
    most bigint, most_of_all bigint, r_lease bigint
  ) RETURNS TABLE (outcome text, status text, seq bigint, removals text) LANGUAGE plpgsql AS $$
  #variable_conflict use_column
  DECLARE
    own tenant_stats;
    target documents;
    at bigint := store_now();
    forgotten bigint := 0;
    artifact_bytes bigint;
    blobs text[];
    claims text;
    result text;
  BEGIN
    ${retriedChecks("'completed', 'partial', 'failed'")}
    IF result IS NULL THEN
      IF r_pages THEN
        WITH removed AS (
          DELETE FROM pages p WHERE p.document = target.seq AND EXISTS (
            SELECT 1 FROM artifacts a
            WHERE a.document = target.seq AND a.page = p.number AND a.stage = r_stage
              AND (r_version IS NULL OR a.version = r_version)
          ) RETURNING octet_length(text) + octet_length(lines) + coalesce(octet_length(layout), 0) AS bytes
        ) SELECT coalesce(sum(bytes), 0) INTO forgotten FROM removed;
      END IF;
      WITH removed AS (
        DELETE FROM artifacts a
        WHERE a.document = target.seq AND a.stage = r_stage AND (r_version IS NULL OR a.version = r_version)
        RETURNING a.size, a.blob
      ) SELECT coalesce(sum(r.size), 0), array_agg(DISTINCT r.blob) INTO artifact_bytes, blobs FROM removed r;
      UPDATE documents SET status = 'queued', queued_at = at, retried_at = at, retries = retries + 1, failure = NULL,
        finished_at = NULL, result_bytes = result_bytes - forgotten - artifact_bytes,
        pages_done = (SELECT count(*) FROM pages p WHERE p.document = target.seq),
        pages_failed = (SELECT count(*) FROM pages p WHERE p.document = target.seq AND p.status IN ('failed', 'timeout')),
        pages_warned = (SELECT count(*) FROM pages p WHERE p.document = target.seq AND p.warnings IS NOT NULL),
        callback_next_at = NULL, callback_deliveries = 0, changed = next_change(), sealed_password = r_sealed_password,
        password_key = r_password_key
        WHERE documents.seq = target.seq;
      claims := claim_removals(blobs, r_lease);
      result := 'queued';
    END IF;
    RETURN QUERY SELECT result, target.status, target.seq, claims;
  END $$
`

export const artifacts: ReadonlyArray<string> = [
  ...tables,
  ...changedSignatures,
  claimRemovals,
  accept,
  acceptWithBytes,
  addPages,
  savePages,
  retry,
  claimRemoval,
  forgetDocument,
  remove,
  withdraw,
  removeEnded,
  removeBlob,
  save,
  rerun
]

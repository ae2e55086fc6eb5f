/**
 * Functions of the database for what takes several steps: each is one round trip and one transaction.
 *
 * Every function that changes the status of one document locks the tenant's counters first, and then the document: in one order,
 * so that they do not wait for each other in a circle, and so that a tenant's limits are exact. Steps of a function see what
 * was committed before the step, so what is read after the lock is current.
 */
import { documentsFrom } from "../documents/rows.ts"
import { runningBytes } from "./counters.ts"

/** A blob's references and removals are compared under a lock of the blob. */
export const lockBlob = (hash: string) => `PERFORM pg_advisory_xact_lock(5718, hashtext(${hash}))`

const lockTenant = `
  CREATE FUNCTION lock_tenant(of text) RETURNS tenant_stats LANGUAGE plpgsql AS $$
  DECLARE own tenant_stats;
  BEGIN
    SELECT * INTO own FROM tenant_stats WHERE tenant_id = of FOR UPDATE;
    IF NOT FOUND THEN
      INSERT INTO tenant_stats (tenant_id) VALUES (of) ON CONFLICT DO NOTHING;
      SELECT * INTO own FROM tenant_stats WHERE tenant_id = of FOR UPDATE;
    END IF;
    RETURN own;
  END $$
`

/** Acceptances that are not committed yet are not in the sum of all tenants: at most one more for each connection. */
const fullQueue = `
  CREATE FUNCTION full_queue(own tenant_stats, most bigint, most_of_all bigint) RETURNS text LANGUAGE plpgsql AS $$
  BEGIN
    IF own.waiting >= most THEN RETURN 'tenant'; END IF;
    IF (SELECT sum(waiting) FROM counter_shards) >= most_of_all THEN RETURN 'global'; END IF;
    RETURN NULL;
  END $$
`

/**
 * Outcomes: `accepted` at a moment, `shared` with the document that stands in, `tenant` and `global` for a full queue, `quota`
 * with the bytes that are kept, `expired` for the reference.
 */
export const accept = `
  CREATE OR REPLACE FUNCTION accept_document(
    a_id text, a_tenant text, a_name text, a_source_url text, a_blob text, a_size bigint, a_priority int,
    a_not_before bigint, a_sealed_password text, a_password_key text, a_callback text, a_trace text, a_reuse boolean,
    a_reference bigint, most bigint, most_of_all bigint, most_stored double precision, a_pipeline text DEFAULT NULL
  ) RETURNS TABLE (outcome text, detail bigint, document text) LANGUAGE plpgsql AS $$
  DECLARE
    own tenant_stats := lock_tenant(a_tenant);
    at bigint := store_now();
    is_scheduled boolean := coalesce(a_not_before > at, false);
  BEGIN
    IF a_reuse AND a_blob IS NOT NULL THEN
      UPDATE documents SET shared = shared + 1 WHERE seq = (
        SELECT seq FROM documents
        WHERE blob = a_blob AND tenant_id = a_tenant AND name = a_name AND password_key IS NOT DISTINCT FROM a_password_key
          AND pipeline IS NOT DISTINCT FROM a_pipeline
          AND status IN ('scheduled', 'queued', 'running', 'completed', 'partial')
          AND (a_callback IS NULL OR callback = a_callback)
          AND (status <> 'scheduled' OR not_before <= greatest(a_not_before, at))
        ORDER BY seq DESC LIMIT 1
      ) RETURNING seq INTO detail;
      IF FOUND THEN
        DELETE FROM blob_references WHERE id = a_reference;
        outcome := 'shared';
        SELECT row_to_json(r)::text INTO document FROM (${documentsFrom("documents")} WHERE d.seq = detail) r;
        RETURN NEXT;
        RETURN;
      END IF;
    END IF;
    outcome := full_queue(own, most, most_of_all);
    IF outcome IS NULL AND most_stored IS NOT NULL THEN
      detail := own.stored + ${runningBytes("d.tenant_id = a_tenant")};
      IF detail + coalesce(a_size, 1) > most_stored THEN outcome := 'quota'; END IF;
    END IF;
    IF outcome IS NULL AND a_reference IS NOT NULL THEN
      DELETE FROM blob_references WHERE id = a_reference AND expires_at > at;
      IF NOT FOUND THEN outcome := 'expired'; END IF;
    END IF;
    IF outcome IS NULL THEN
      INSERT INTO documents
        (id, tenant_id, name, source_url, blob, size, priority, status, not_before, sealed_password, password_key, callback,
          accepted_at, queued_at, trace, pipeline, changed)
      VALUES (a_id, a_tenant, a_name, a_source_url, a_blob, a_size, a_priority,
        CASE WHEN is_scheduled THEN 'scheduled' ELSE 'queued' END, a_not_before, a_sealed_password, a_password_key,
        a_callback, at, CASE WHEN is_scheduled THEN NULL ELSE at END, a_trace, a_pipeline, next_change());
      outcome := 'accepted';
      detail := at;
    END IF;
    RETURN NEXT;
  END $$
`

/** The first part of a retry: locks the tenant and the document, and says why it may not be queued again. */
export const retriedChecks = (states: string) => `
    IF EXISTS (SELECT 1 FROM documents WHERE id = r_id AND tenant_id = r_tenant) THEN own := lock_tenant(r_tenant); END IF;
    SELECT * INTO target FROM documents WHERE id = r_id AND tenant_id = r_tenant FOR UPDATE;
    IF NOT FOUND THEN
      result := 'missing';
    ELSIF target.status NOT IN (${states}) THEN
      result := 'status';
    ELSIF target.password_key IS NOT NULL AND r_password_key IS NULL THEN
      result := 'password';
    ELSE
      result := full_queue(own, most, most_of_all);
    END IF;`

/**
 * Outcomes: `queued`, `missing`, `status` with the document's status, `password` likewise, `tenant`, `global`. Pages on which one
 * of the `givers` of text was skipped are read again. If any is, what the stages of `whole` made of the document goes, too.
 */
export const retry = `
  CREATE OR REPLACE FUNCTION retry_document(
    r_tenant text, r_id text, r_sealed_password text, r_password_key text, most bigint, most_of_all bigint,
    givers text[] DEFAULT NULL, whole text[] DEFAULT NULL
  ) RETURNS TABLE (outcome text, status text, seq bigint) LANGUAGE plpgsql AS $$
  #variable_conflict use_column
  DECLARE
    own tenant_stats;
    target documents;
    at bigint := store_now();
    forgotten bigint;
    again bigint;
    made bigint := 0;
    result text;
  BEGIN
    ${retriedChecks("'partial', 'failed'")}
    IF result IS NULL THEN
      WITH removed AS (
        DELETE FROM pages p WHERE p.document = target.seq AND (p.status IN ('failed', 'timeout') OR EXISTS (
          SELECT 1 FROM artifacts a
          WHERE a.document = target.seq AND a.page = p.number AND a.status = 'skipped' AND a.stage = ANY(givers)
        )) RETURNING octet_length(text) + octet_length(lines) + coalesce(octet_length(layout), 0) AS bytes
      ) SELECT coalesce(sum(bytes), 0), count(*) INTO forgotten, again FROM removed;
      IF again > 0 THEN
        WITH removed AS (
          DELETE FROM artifacts a WHERE a.document = target.seq AND a.page = 0 AND a.stage = ANY(whole) RETURNING a.size
        ) SELECT coalesce(sum(r.size), 0) INTO made FROM removed r;
      END IF;
      DELETE FROM page_faults WHERE document = target.seq;
      DELETE FROM artifacts a WHERE a.document = target.seq AND a.status <> 'done';
      UPDATE documents SET status = 'queued', queued_at = at, retried_at = at, retries = retries + 1, failure = NULL,
        finished_at = NULL, pages_done = (SELECT count(*) FROM pages p WHERE p.document = target.seq), pages_failed = 0,
        result_bytes = result_bytes - forgotten - made,
        pages_warned = (SELECT count(*) FROM pages p WHERE p.document = target.seq AND p.warnings IS NOT NULL),
        callback_next_at = NULL, callback_deliveries = 0, changed = next_change(), sealed_password = r_sealed_password,
        password_key = r_password_key
        WHERE documents.seq = target.seq;
      result := 'queued';
    END IF;
    RETURN QUERY SELECT result, target.status, target.seq;
  END $$
`

const claim = `
  CREATE FUNCTION claim_document(c_tenant text, c_runner text, c_lease bigint, most double precision)
  RETURNS SETOF documents LANGUAGE plpgsql AS $$
  DECLARE own tenant_stats; at bigint;
  BEGIN
    IF NOT EXISTS (SELECT 1 FROM documents WHERE tenant_id = c_tenant AND status = 'queued') THEN RETURN; END IF;
    own := lock_tenant(c_tenant);
    IF own.paused OR own.running >= most THEN RETURN; END IF;
    at := store_now();
    RETURN QUERY UPDATE documents SET status = 'running', attempt = attempt + 1, runner = c_runner, lease_until = at + c_lease,
      queued_at = NULL, started_at = coalesce(started_at, at), changed = next_change()
    WHERE seq = (
      SELECT seq FROM documents WHERE tenant_id = c_tenant AND status = 'queued'
      ORDER BY priority DESC, seq LIMIT 1 FOR UPDATE SKIP LOCKED
    ) RETURNING *;
  END $$
`

export const claimRemoval = `
  CREATE OR REPLACE FUNCTION claim_removal(c_hash text, c_millis bigint, OUT removal bigint, OUT claimed_at bigint)
  LANGUAGE plpgsql AS $$
  BEGIN
    ${lockBlob("c_hash")};
    claimed_at := store_now();
    INSERT INTO blob_removals (hash, expires_at)
      SELECT c_hash, claimed_at + c_millis
      WHERE NOT EXISTS (SELECT 1 FROM documents WHERE blob = c_hash)
        AND NOT EXISTS (SELECT 1 FROM artifacts WHERE blob = c_hash)
        AND NOT EXISTS (SELECT 1 FROM blob_references WHERE hash = c_hash AND expires_at > claimed_at)
        AND NOT EXISTS (SELECT 1 FROM blob_removals WHERE hash = c_hash AND expires_at > claimed_at)
      RETURNING id INTO removal;
  END $$
`

const references = [
  `CREATE FUNCTION reserve_blob(r_hash text, r_millis bigint) RETURNS bigint LANGUAGE plpgsql AS $$
  DECLARE at bigint; made bigint;
  BEGIN
    ${lockBlob("r_hash")};
    at := store_now();
    INSERT INTO blob_references (hash, expires_at)
      SELECT r_hash, at + r_millis
      WHERE NOT EXISTS (SELECT 1 FROM blob_removals WHERE hash = r_hash AND expires_at > at)
      RETURNING id INTO made;
    RETURN made;
  END $$`,
  claimRemoval
]

export const acceptance: ReadonlyArray<string> = [lockTenant, fullQueue, accept, retry, claim, ...references]

/** Functions for callbacks, deliveries and idempotency keys. */

/**
 * Leases callbacks in turns of their tenants, and answers with their positions and the numbers of the claims. One claim at a
 * time, by all runners, so that the limit of a tenant is exact. Steps from tenant to tenant, so the cost depends on `most` and
 * not on how much is owed.
 */
export const claimCallbacks = `
  CREATE OR REPLACE FUNCTION claim_callbacks(
    c_runner text, most int, per_tenant double precision, c_lease bigint, behind text, portion bigint
  ) RETURNS TABLE (place bigint, document bigint, claim int) LANGUAGE plpgsql AS $$
  DECLARE
    at bigint;
    size bigint := 0;
    due record;
    at_turn bigint := 0;
  BEGIN
    PERFORM pg_advisory_xact_lock(5718, hashtext('callbacks ' || current_schema()));
    at := store_now();
    FOR due IN
      WITH RECURSIVE owed (id) AS (
        (SELECT tenant_id FROM documents WHERE callback_next_at IS NOT NULL ORDER BY tenant_id LIMIT 1)
        UNION ALL
        SELECT (SELECT d.tenant_id FROM documents d WHERE d.callback_next_at IS NOT NULL AND d.tenant_id > owed.id
          ORDER BY d.tenant_id LIMIT 1) FROM owed WHERE owed.id IS NOT NULL
      ), tenants AS (
        SELECT id, coalesce(id <= behind, false) AS later, per_tenant - (
          SELECT count(*) FROM documents d
          WHERE d.callback_leased_until IS NOT NULL AND d.tenant_id = owed.id AND d.callback_leased_until > at
        ) AS places
        FROM owed WHERE id IS NOT NULL
      ), turns AS (
        SELECT t.id, t.later, f.*, row_number() OVER (PARTITION BY t.id ORDER BY f.callback_next_at, f.seq) AS turn
        FROM tenants t CROSS JOIN LATERAL (
          SELECT d.seq, d.callback_next_at FROM documents d
          WHERE d.tenant_id = t.id AND d.callback_next_at IS NOT NULL AND d.callback_next_at <= at
            AND (d.callback_leased_until IS NULL OR d.callback_leased_until <= at)
          ORDER BY d.callback_next_at, d.seq LIMIT greatest(0, least(t.places, most))::bigint
        ) f
      )
      SELECT d.seq, length(d.name) + coalesce(length(d.source_url), 0) + coalesce(length(d.failure), 0)
        + coalesce(length(x.warnings), 0) + coalesce(length(x.metadata), 0) AS size
      FROM (SELECT * FROM turns ORDER BY turn, later, id LIMIT most) t
      JOIN documents d ON d.seq = t.seq LEFT JOIN document_details x ON x.document = t.seq
      ORDER BY t.turn, t.later, t.id
    LOOP
      size := size + due.size;
      EXIT WHEN at_turn > 0 AND size > portion;
      -- A retry that was committed since the search has settled what was owed.
      UPDATE documents d SET callback_runner = c_runner, callback_leased_until = at + c_lease,
        callback_claims = d.callback_claims + 1
      WHERE d.seq = due.seq AND d.callback_next_at <= at
        AND (d.callback_leased_until IS NULL OR d.callback_leased_until <= at)
      RETURNING d.callback_claims INTO claim;
      IF FOUND THEN
        at_turn := at_turn + 1;
        place := at_turn;
        document := due.seq;
        RETURN NEXT;
      END IF;
    END LOOP;
  END $$
`

/** Logs a try; if the claim is still the latest, ends its lease and settles or postpones what was owed. */
const record = `
  CREATE FUNCTION record_delivery(
    r_id text, r_claim int, r_retries int, r_due_at bigint, r_attempt int, r_at bigint, r_endpoint text, r_status int,
    r_error text, r_elapsed double precision, r_next_at bigint, kept int
  ) RETURNS void LANGUAGE plpgsql AS $$
  DECLARE target bigint; place int;
  BEGIN
    PERFORM lock_tenant(tenant_id) FROM documents WHERE id = r_id;
    SELECT seq INTO target FROM documents WHERE id = r_id FOR UPDATE;
    IF target IS NULL THEN RETURN; END IF;
    SELECT coalesce(max(number), 0) + 1 INTO place FROM deliveries WHERE document = target;
    INSERT INTO deliveries (document, number, at, attempt, endpoint, status, error, elapsed_millis, next_at)
      VALUES (target, place, r_at, r_attempt, r_endpoint, r_status, r_error, r_elapsed, r_next_at);
    DELETE FROM deliveries WHERE document = target AND number <= place - kept;
    UPDATE documents SET callback_next_at = r_next_at, callback_deliveries = callback_deliveries + 1
      WHERE seq = target AND callback_claims = r_claim AND retries = r_retries AND callback_next_at = r_due_at;
    UPDATE documents SET callback_runner = NULL, callback_leased_until = NULL
      WHERE seq = target AND callback_claims = r_claim;
  END $$
`

/** Updates the endpoint's health, unless its URL was changed since. Answers whether this disabled the endpoint. */
const judge = `
  CREATE FUNCTION judge_endpoint(j_tenant text, j_changed_at bigint, j_at bigint, works boolean, tolerance double precision, reason text)
  RETURNS boolean LANGUAGE plpgsql AS $$
  BEGIN
    UPDATE webhooks SET failing_since = CASE WHEN works THEN NULL ELSE coalesce(failing_since, j_at) END
      WHERE tenant_id = j_tenant AND changed_at = j_changed_at AND disabled_at IS NULL
        AND works = (failing_since IS NOT NULL);
    IF works THEN RETURN false; END IF;
    UPDATE webhooks SET disabled_at = j_at, disabled_reason = reason
      WHERE tenant_id = j_tenant AND changed_at = j_changed_at AND disabled_at IS NULL AND failing_since <= j_at - tolerance;
    RETURN FOUND;
  END $$
`

/** The kept answer is read after the key was reserved: the request that had the key before may just have kept it. */
const reserveKey = `
  CREATE FUNCTION reserve_key(r_tenant text, r_key text, r_millis bigint)
  RETURNS TABLE (lease bigint, fingerprint text, bytes bigint, body text, kept_at bigint) LANGUAGE plpgsql AS $$
  #variable_conflict use_column
  DECLARE at bigint := store_now(); made bigint;
  BEGIN
    DELETE FROM idempotency_leases WHERE tenant_id = r_tenant AND key = r_key AND expires_at <= at;
    INSERT INTO idempotency_leases (tenant_id, key, expires_at) VALUES (r_tenant, r_key, at + r_millis)
      ON CONFLICT DO NOTHING RETURNING id INTO made;
    IF made IS NULL THEN RETURN; END IF;
    RETURN QUERY SELECT made, k.fingerprint, k.bytes, k.body, k.kept_at
      FROM (SELECT 1) one LEFT JOIN idempotency_keys k ON k.tenant_id = r_tenant AND k.key = r_key;
  END $$
`

const keepAnswer = `
  CREATE FUNCTION keep_answer(k_lease bigint, k_tenant text, k_key text, k_fingerprint text, k_bytes bigint, k_body text, k_at bigint)
  RETURNS boolean LANGUAGE plpgsql AS $$
  BEGIN
    DELETE FROM idempotency_leases WHERE id = k_lease;
    IF NOT FOUND THEN RETURN false; END IF;
    INSERT INTO idempotency_keys (tenant_id, key, fingerprint, bytes, body, kept_at)
      VALUES (k_tenant, k_key, k_fingerprint, k_bytes, k_body, k_at)
      ON CONFLICT (tenant_id, key) DO UPDATE SET fingerprint = excluded.fingerprint, bytes = excluded.bytes,
        body = excluded.body, kept_at = excluded.kept_at;
    RETURN true;
  END $$
`

/** Keys that are made at the same moment by several processes do not exceed the limit. */
const createKey = `
  CREATE FUNCTION create_key(c_id text, c_tenant text, c_name text, c_digest bytea, c_at bigint, most int)
  RETURNS boolean LANGUAGE plpgsql AS $$
  BEGIN
    PERFORM pg_advisory_xact_lock(5718, hashtext('keys ' || c_tenant));
    IF (SELECT count(*) FROM api_keys WHERE tenant_id = c_tenant) >= most THEN RETURN false; END IF;
    INSERT INTO api_keys (id, tenant_id, name, digest, created_at) VALUES (c_id, c_tenant, c_name, c_digest, c_at);
    RETURN true;
  END $$
`

export const callbacks: ReadonlyArray<string> = [claimCallbacks, record, judge, reserveKey, keepAnswer, createKey]

/**
 * Functions for what a run writes, under its fence, and for ends and removals. All are in plpgsql, which keeps the plans of its
 * statements: a function in SQL plans them anew for every call. The clock is read into a variable first: a condition that calls it is
 * no use for an index.
 */

/** The position of the document that the fence holds. A checkpoint needs no lock of the tenant, because it counts nothing. */
const held = `
  CREATE FUNCTION held_document(f_id text, f_attempt int) RETURNS bigint LANGUAGE plpgsql AS $$
  DECLARE held bigint;
  BEGIN
    SELECT seq INTO held FROM documents WHERE id = f_id AND attempt = f_attempt AND status = 'running' FOR UPDATE;
    RETURN held;
  END $$
`

const heldForEnd = `
  CREATE FUNCTION held_with_tenant(f_id text, f_attempt int) RETURNS bigint LANGUAGE plpgsql AS $$
  BEGIN
    PERFORM lock_tenant(tenant_id) FROM documents WHERE id = f_id;
    RETURN held_document(f_id, f_attempt);
  END $$
`

const opened = `
  CREATE FUNCTION write_details(w_seq bigint, w_metadata text, w_outline text, w_warnings text) RETURNS bigint
  LANGUAGE plpgsql AS $$
  BEGIN
    INSERT INTO document_details (document, metadata, outline, warnings) VALUES (w_seq, w_metadata, w_outline, w_warnings)
      ON CONFLICT (document) DO UPDATE
        SET metadata = excluded.metadata, outline = excluded.outline, warnings = excluded.warnings;
    RETURN octet_length(w_metadata) + octet_length(w_outline);
  END $$
`

const openDocument = `
  CREATE FUNCTION open_document(
    f_id text, f_attempt int, o_pages int, o_metadata text, o_outline text, o_warnings text
  ) RETURNS boolean LANGUAGE plpgsql AS $$
  DECLARE held bigint := held_document(f_id, f_attempt);
  BEGIN
    IF held IS NULL THEN RETURN false; END IF;
    UPDATE documents SET page_count = o_pages, changed = next_change(),
      detail_bytes = write_details(held, o_metadata, o_outline, o_warnings) WHERE seq = held;
    RETURN true;
  END $$
`

/** Pages that have a result already keep it; the others are counted. Each gets a change number in the order of the arrays. */
export const addPages = `
  CREATE OR REPLACE FUNCTION add_pages(
    a_seq bigint, numbers int[], statuses text[], widths double precision[], heights double precision[],
    rotations double precision[], elapsed double precision[], errors text[], warned text[], texts text[], lined text[],
    layouts bytea[], sources text[] DEFAULT NULL, OUT done int, OUT failed int, OUT with_warnings int, OUT bytes bigint
  ) LANGUAGE plpgsql AS $$
  BEGIN
    WITH added AS (
      INSERT INTO pages AS kept
        (document, number, status, width, height, rotation, elapsed_millis, error, warnings, changed, text, lines, layout, source)
      SELECT a_seq, p.number, p.status, p.width, p.height, p.rotation, p.elapsed, p.error, p.warnings, next_change(), p.text, p.lines,
        p.layout, p.source
      FROM (
        SELECT * FROM unnest(numbers, statuses, widths, heights, rotations, elapsed, errors, warned, texts, lined, layouts, sources)
          WITH ORDINALITY AS u (number, status, width, height, rotation, elapsed, error, warnings, text, lines, layout, source, place)
        ORDER BY place
      ) p
      ON CONFLICT DO NOTHING
      RETURNING kept.status, kept.warnings, octet_length(kept.text) + octet_length(kept.lines)
        + coalesce(octet_length(kept.layout), 0) AS bytes
    )
    SELECT count(*), count(*) FILTER (WHERE a.status IN ('failed', 'timeout')),
      count(*) FILTER (WHERE a.warnings IS NOT NULL), coalesce(sum(a.bytes), 0)
      INTO done, failed, with_warnings, bytes FROM added a;
  END $$
`

const pageParameters = `numbers int[], statuses text[], widths double precision[], heights double precision[],
    rotations double precision[], elapsed double precision[], errors text[], warned text[], texts text[], lined text[], layouts bytea[]`
const pageArguments = "numbers, statuses, widths, heights, rotations, elapsed, errors, warned, texts, lined, layouts"

export const savePages = `
  CREATE OR REPLACE FUNCTION save_pages(f_id text, f_attempt int, ${pageParameters}, sources text[] DEFAULT NULL) RETURNS boolean LANGUAGE plpgsql AS $$
  DECLARE held bigint := held_document(f_id, f_attempt); added record;
  BEGIN
    IF held IS NULL THEN RETURN false; END IF;
    added := add_pages(held, ${pageArguments}, sources);
    IF added.done > 0 THEN
      UPDATE documents SET pages_done = pages_done + added.done, pages_failed = pages_failed + added.failed,
        pages_warned = pages_warned + added.with_warnings, result_bytes = result_bytes + added.bytes WHERE seq = held;
    END IF;
    RETURN true;
  END $$
`

/** Whether the end of the document is owed to a receiver. */
const owes = `
  CREATE FUNCTION owes_callback(d documents) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
  BEGIN
    RETURN d.callback IS NOT NULL OR EXISTS (
      SELECT 1 FROM webhooks w WHERE w.tenant_id = d.tenant_id AND w.url IS NOT NULL AND w.disabled_at IS NULL
    );
  END $$
`

/** Ends a document: its secrets are removed, its callback falls due, and its lease ends. A cancelled attempt moves on. */
const end = `
  CREATE FUNCTION end_document(e_seq bigint, e_status text, e_failure text) RETURNS SETOF documents LANGUAGE plpgsql AS $$
  DECLARE at bigint := store_now();
  BEGIN
    RETURN QUERY UPDATE documents SET status = e_status, failure = e_failure, finished_at = at,
      attempt = attempt + (e_status = 'cancelled')::int, changed = next_change(), runner = NULL, lease_until = NULL,
      queued_at = NULL, sealed_password = NULL,
      callback_next_at = CASE WHEN owes_callback(documents) THEN at END
    WHERE seq = e_seq RETURNING *;
  END $$
`

const finish = `
  CREATE FUNCTION finish_document(f_id text, f_attempt int, e_status text, e_failure text)
  RETURNS SETOF documents LANGUAGE plpgsql AS $$
  DECLARE held bigint := held_with_tenant(f_id, f_attempt);
  BEGIN
    IF held IS NOT NULL THEN RETURN QUERY SELECT * FROM end_document(held, e_status, e_failure); END IF;
  END $$
`

const finishWhole = `
  CREATE FUNCTION finish_whole_document(
    f_id text, f_attempt int, e_status text, e_failure text,
    o_pages int, o_metadata text, o_outline text, o_warnings text, ${pageParameters}
  ) RETURNS SETOF documents LANGUAGE plpgsql AS $$
  DECLARE held bigint := held_with_tenant(f_id, f_attempt); added record;
  BEGIN
    IF held IS NULL THEN RETURN; END IF;
    added := add_pages(held, ${pageArguments});
    UPDATE documents SET page_count = o_pages, pages_done = pages_done + added.done,
      pages_failed = pages_failed + added.failed, pages_warned = pages_warned + added.with_warnings,
      result_bytes = result_bytes + added.bytes, detail_bytes = write_details(held, o_metadata, o_outline, o_warnings)
      WHERE seq = held;
    RETURN QUERY SELECT * FROM end_document(held, e_status, e_failure);
  END $$
`

const cancel = `
  CREATE FUNCTION cancel_document(c_tenant text, c_id text, c_failure text) RETURNS SETOF documents LANGUAGE plpgsql AS $$
  DECLARE target documents;
  BEGIN
    PERFORM lock_tenant(c_tenant) FROM documents WHERE id = c_id AND tenant_id = c_tenant;
    SELECT * INTO target FROM documents WHERE id = c_id AND tenant_id = c_tenant FOR UPDATE;
    IF NOT FOUND THEN RETURN; END IF;
    IF target.finished_at IS NULL THEN
      RETURN QUERY SELECT * FROM end_document(target.seq, 'cancelled', c_failure);
    ELSE
      RETURN NEXT target;
    END IF;
  END $$
`

const requeued = `status = 'queued', interruptions = interruptions + 1, runner = NULL, lease_until = NULL,
  changed = next_change()`

const release = `
  CREATE FUNCTION release_document(f_id text, f_attempt int) RETURNS boolean LANGUAGE plpgsql AS $$
  DECLARE held bigint := held_with_tenant(f_id, f_attempt);
  BEGIN
    UPDATE documents SET ${requeued} WHERE seq = held;
    RETURN FOUND;
  END $$
`

/** Documents that another transaction is about to change are left to the next call. */
const reclaim = `
  CREATE FUNCTION reclaim_expired() RETURNS SETOF text LANGUAGE plpgsql AS $$
  DECLARE at bigint := store_now();
  BEGIN
    RETURN QUERY UPDATE documents SET ${requeued} WHERE seq IN (
      SELECT seq FROM documents WHERE status = 'running' AND lease_until <= at
      ORDER BY tenant_id, seq FOR UPDATE SKIP LOCKED
    ) RETURNING tenant_id;
  END $$
`

const queueDue = `
  CREATE FUNCTION queue_due() RETURNS SETOF text LANGUAGE plpgsql AS $$
  DECLARE at bigint := store_now();
  BEGIN
    RETURN QUERY UPDATE documents SET status = 'queued', queued_at = at, changed = next_change() WHERE seq IN (
      SELECT seq FROM documents WHERE status = 'scheduled' AND not_before <= at ORDER BY tenant_id, seq FOR UPDATE SKIP LOCKED
    ) RETURNING tenant_id;
  END $$
`

const expire = `
  CREATE FUNCTION expire_queued(waited double precision, most int, e_failure text) RETURNS SETOF documents LANGUAGE plpgsql AS $$
  DECLARE late bigint; before bigint := ceil(store_now() - waited);
  BEGIN
    FOR late IN SELECT seq FROM documents WHERE queued_at < before AND status = 'queued'
      ORDER BY queued_at, seq LIMIT most FOR UPDATE SKIP LOCKED
    LOOP
      RETURN QUERY SELECT * FROM end_document(late, 'failed', e_failure);
    END LOOP;
  END $$
`

const removed = "id text, tenant_id text, attempt int, status text, removals text"

/** Also removes what is not terminal: with its row, the document's fence is gone, too. A callback still owed is dropped. */
export const remove = `
  CREATE OR REPLACE FUNCTION remove_document(r_seq bigint, r_lease bigint) RETURNS TABLE (${removed}) LANGUAGE plpgsql AS $$
  #variable_conflict use_column
  DECLARE gone documents; blobs text[];
  BEGIN
    SELECT array_agg(DISTINCT a.blob) INTO blobs FROM artifacts a WHERE a.document = r_seq AND a.blob IS NOT NULL;
    DELETE FROM documents WHERE seq = r_seq RETURNING * INTO gone;
    IF NOT FOUND THEN RETURN; END IF;
    RETURN QUERY SELECT gone.id, gone.tenant_id, gone.attempt, gone.status,
      claim_removals(array_append(blobs, gone.blob), r_lease);
  END $$
`

export const withdraw = `
  CREATE OR REPLACE FUNCTION withdraw_document(w_tenant text, w_id text, shares bigint, r_lease bigint)
  RETURNS TABLE (${removed}) LANGUAGE plpgsql AS $$
  #variable_conflict use_column
  DECLARE target bigint;
  BEGIN
    PERFORM lock_tenant(w_tenant) FROM documents WHERE id = w_id AND tenant_id = w_tenant;
    SELECT seq INTO target FROM documents WHERE id = w_id AND tenant_id = w_tenant AND shared <= shares FOR UPDATE;
    IF target IS NOT NULL THEN RETURN QUERY SELECT * FROM remove_document(target, r_lease); END IF;
  END $$
`

/** Ends before the document that would make its pages more than this; one document is removed whole, however large. */
export const removeEnded = `
  CREATE OR REPLACE FUNCTION remove_ended(ended_ago double precision, most int, most_pages int, r_lease bigint)
  RETURNS TABLE (${removed}) LANGUAGE plpgsql AS $$
  #variable_conflict use_column
  DECLARE old record; pages bigint := 0; count int := 0; before bigint := ceil(store_now() - ended_ago);
  BEGIN
    FOR old IN SELECT seq, pages_done FROM documents
      WHERE finished_at < before AND callback_next_at IS NULL
      ORDER BY finished_at, seq LIMIT most FOR UPDATE SKIP LOCKED
    LOOP
      pages := pages + old.pages_done;
      EXIT WHEN count > 0 AND pages > most_pages;
      count := count + 1;
      RETURN QUERY SELECT * FROM remove_document(old.seq, r_lease);
    END LOOP;
  END $$
`

export const runs: ReadonlyArray<string> = [
  held,
  heldForEnd,
  opened,
  openDocument,
  addPages,
  savePages,
  owes,
  end,
  finish,
  finishWhole,
  cancel,
  release,
  reclaim,
  queueDue,
  expire,
  remove,
  withdraw,
  removeEnded
]

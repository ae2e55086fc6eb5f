/**
 * Counters of each tenant, and of all tenants. A trigger keeps them, so that no way of changing a document can forget to.
 *
 * A row that every acceptance updates would be locked until its commit is on the disk, so acceptances would be committed one by
 * one. So there is no row for all tenants: their counters are the sum over `counter_shards`, and each connection adds to its own
 * shard. A tenant has one row, which makes its limits exact.
 *
 * Bytes of running documents are not in the counters, so that a checkpoint writes to no row that others write to; a reader adds
 * them, and there are few.
 */
const shards = 64

const waits = (row: string) => `(${row}.status IN ('scheduled', 'queued'))::int`
const queued = (row: string) => `(${row}.status = 'queued')::int`
const runs = (row: string) => `(${row}.status = 'running')::int`
const owes = (row: string) => `(${row}.callback_next_at IS NOT NULL)::int`
const bytes = (row: string) =>
  `CASE WHEN ${row}.status = 'running' THEN 0 ELSE coalesce(${row}.size, 0) + ${row}.result_bytes + ${row}.detail_bytes END`

/** Bytes of running documents, to be added to `stored`. */
export const runningBytes = (condition: string): string =>
  `(SELECT coalesce(sum(coalesce(d.size, 0) + d.result_bytes + d.detail_bytes), 0)::bigint
    FROM documents d WHERE d.status = 'running' AND ${condition})`

/**
 * The highest values are kept in one row, which is only written when a new one is reached, and left alone while another
 * connection writes it: so nothing waits for it, and while many write at once it may be a little too low.
 */
const countDocument = `
  CREATE FUNCTION count_document() RETURNS trigger LANGUAGE plpgsql AS $$
  DECLARE
    tenant text;
    w int := 0; q int := 0; r int := 0; o int := 0; s bigint := 0; p int := 0; f int := 0;
    all_waiting bigint; all_running bigint;
  BEGIN
    IF TG_OP <> 'INSERT' THEN
      tenant := OLD.tenant_id;
      w := -${waits("OLD")}; q := -${queued("OLD")}; r := -${runs("OLD")}; o := -${owes("OLD")}; s := -(${bytes("OLD")});
    END IF;
    IF TG_OP <> 'DELETE' THEN
      tenant := NEW.tenant_id;
      w := w + ${waits("NEW")}; q := q + ${queued("NEW")}; r := r + ${runs("NEW")}; o := o + ${owes("NEW")};
      s := s + (${bytes("NEW")});
    END IF;
    IF TG_OP = 'UPDATE' AND OLD.status <> NEW.status THEN
      p := (NEW.status IN ('completed', 'partial', 'failed'))::int;
      f := (NEW.status = 'failed')::int;
    END IF;
    INSERT INTO tenant_stats AS t (tenant_id, waiting, max_waiting, queued, running, max_running, owed, stored)
      VALUES (tenant, w, greatest(w, 0), q, r, greatest(r, 0), o, s)
      ON CONFLICT (tenant_id) DO UPDATE SET
        waiting = t.waiting + w, max_waiting = greatest(t.max_waiting, t.waiting + w), queued = t.queued + q,
        running = t.running + r, max_running = greatest(t.max_running, t.running + r),
        owed = t.owed + o, stored = t.stored + s, processed = t.processed + p, failed = t.failed + f;
    UPDATE counter_shards SET waiting = waiting + w, running = running + r, owed = owed + o, stored = stored + s,
      processed = processed + p, failed = failed + f
      WHERE shard = pg_backend_pid() % ${shards};
    IF w > 0 OR r > 0 THEN
      SELECT sum(waiting), sum(running) INTO all_waiting, all_running FROM counter_shards;
      UPDATE counter_peaks SET waiting = greatest(waiting, all_waiting), running = greatest(running, all_running)
        WHERE place = (
          SELECT place FROM counter_peaks WHERE waiting < all_waiting OR running < all_running FOR UPDATE SKIP LOCKED
        );
    END IF;
    RETURN NULL;
  END $$
`

const changed = `
  OLD.status <> NEW.status OR ${bytes("OLD")} <> ${bytes("NEW")} OR ${owes("OLD")} <> ${owes("NEW")}
`

export const forgetDocument = `
  CREATE OR REPLACE FUNCTION forget_document() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    DELETE FROM pages WHERE document = OLD.seq;
    DELETE FROM document_details WHERE document = OLD.seq;
    DELETE FROM page_faults WHERE document = OLD.seq;
    DELETE FROM artifacts WHERE document = OLD.seq;
    DELETE FROM deliveries WHERE document = OLD.seq;
    RETURN NULL;
  END $$
`

export const counters: ReadonlyArray<string> = [
  `CREATE TABLE tenant_stats (
    tenant_id text COLLATE "C" PRIMARY KEY,
    waiting bigint NOT NULL DEFAULT 0,
    queued bigint NOT NULL DEFAULT 0,
    running bigint NOT NULL DEFAULT 0,
    max_waiting bigint NOT NULL DEFAULT 0,
    max_running bigint NOT NULL DEFAULT 0,
    processed bigint NOT NULL DEFAULT 0,
    failed bigint NOT NULL DEFAULT 0,
    stored bigint NOT NULL DEFAULT 0,
    owed bigint NOT NULL DEFAULT 0,
    paused boolean NOT NULL DEFAULT false
  ) WITH (fillfactor = 50)`,
  `CREATE TABLE counter_shards (
    shard int PRIMARY KEY,
    waiting bigint NOT NULL DEFAULT 0,
    running bigint NOT NULL DEFAULT 0,
    processed bigint NOT NULL DEFAULT 0,
    failed bigint NOT NULL DEFAULT 0,
    stored bigint NOT NULL DEFAULT 0,
    owed bigint NOT NULL DEFAULT 0
  ) WITH (fillfactor = 10)`,
  `INSERT INTO counter_shards (shard) SELECT generate_series(0, ${shards - 1})`,
  `CREATE TABLE counter_peaks (place int PRIMARY KEY, waiting bigint NOT NULL, running bigint NOT NULL)
    WITH (fillfactor = 10)`,
  `INSERT INTO counter_peaks VALUES (1, 0, 0)`,
  countDocument,
  `CREATE TRIGGER documents_counted_on_insert AFTER INSERT ON documents
    FOR EACH ROW EXECUTE FUNCTION count_document()`,
  `CREATE TRIGGER documents_counted_on_update AFTER UPDATE ON documents
    FOR EACH ROW WHEN (${changed}) EXECUTE FUNCTION count_document()`,
  `CREATE TRIGGER documents_counted_on_delete AFTER DELETE ON documents
    FOR EACH ROW EXECUTE FUNCTION count_document()`,
  forgetDocument,
  `CREATE TRIGGER documents_forgotten AFTER DELETE ON documents FOR EACH ROW EXECUTE FUNCTION forget_document()`
]

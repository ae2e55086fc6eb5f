/** Counters of a tenant, as triggers of the table of documents keep them. */

export const waits = (row: string) => `(${row}.status IN ('scheduled', 'queued'))`
export const ended = (row: string) => `(${row}.status IN ('completed', 'partial', 'failed'))`
const bytesOf = (row: string) => `(coalesce(${row}.size, 0) + ${row}.result_bytes + ${row}.detail_bytes)`
const owes = (row: string) => `(${row}.callback_next_at IS NOT NULL)`

/**
 * Bytes that are kept of a tenant's documents (each counts its original, also where documents share one), and how many ends are
 * owed to receivers. They are counters like the others, so the triggers are made anew.
 */
export const storedBytes: ReadonlyArray<string> = [
  `ALTER TABLE documents ADD COLUMN result_bytes INTEGER NOT NULL DEFAULT 0`,
  `ALTER TABLE documents ADD COLUMN detail_bytes INTEGER NOT NULL DEFAULT 0`,
  `UPDATE documents SET
    result_bytes = coalesce((SELECT sum(octet_length(text) + octet_length(lines)) FROM pages p WHERE p.document = seq), 0),
    detail_bytes = coalesce(
      (SELECT octet_length(metadata) + octet_length(outline) FROM document_details x WHERE x.document = seq), 0)`,
  `ALTER TABLE tenant_stats ADD COLUMN stored INTEGER NOT NULL DEFAULT 0`,
  `ALTER TABLE tenant_stats ADD COLUMN owed INTEGER NOT NULL DEFAULT 0`,
  `UPDATE tenant_stats SET
    stored = (SELECT coalesce(sum(${bytesOf("d")}), 0) FROM documents d WHERE d.tenant_id = tenant_stats.tenant_id),
    owed = (SELECT coalesce(sum(${owes("d")}), 0) FROM documents d WHERE d.tenant_id = tenant_stats.tenant_id)`,
  `UPDATE tenant_stats SET
    stored = (SELECT coalesce(sum(${bytesOf("d")}), 0) FROM documents d),
    owed = (SELECT coalesce(sum(${owes("d")}), 0) FROM documents d)
    WHERE tenant_id = '*'`,
  `CREATE INDEX documents_owed ON documents (finished_at) WHERE callback_next_at IS NOT NULL`,
  `CREATE INDEX documents_owed_of_tenant ON documents (tenant_id, finished_at) WHERE callback_next_at IS NOT NULL`,
  `DROP TRIGGER documents_counted_on_insert`,
  `DROP TRIGGER documents_counted_on_update`,
  `DROP TRIGGER documents_counted_on_delete`,
  `CREATE TRIGGER documents_counted_on_insert AFTER INSERT ON documents BEGIN
    INSERT INTO tenant_stats (tenant_id) VALUES (NEW.tenant_id) ON CONFLICT DO NOTHING;
    UPDATE tenant_stats SET
      waiting = waiting + ${waits("NEW")},
      max_waiting = max(max_waiting, waiting + ${waits("NEW")}),
      queued = queued + (NEW.status = 'queued'),
      stored = stored + ${bytesOf("NEW")}
    WHERE tenant_id IN (NEW.tenant_id, '*');
  END`,
  `CREATE TRIGGER documents_counted_on_update
    AFTER UPDATE OF status, size, result_bytes, detail_bytes, callback_next_at ON documents
    WHEN OLD.status <> NEW.status OR ${bytesOf("OLD")} <> ${bytesOf("NEW")} OR ${owes("OLD")} <> ${owes("NEW")}
  BEGIN
    UPDATE tenant_stats SET
      waiting = waiting + ${waits("NEW")} - ${waits("OLD")},
      max_waiting = max(max_waiting, waiting + ${waits("NEW")} - ${waits("OLD")}),
      queued = queued + (NEW.status = 'queued') - (OLD.status = 'queued'),
      running = running + (NEW.status = 'running') - (OLD.status = 'running'),
      max_running = max(max_running, running + (NEW.status = 'running') - (OLD.status = 'running')),
      processed = processed + (OLD.status <> NEW.status AND ${ended("NEW")}),
      failed = failed + (OLD.status <> NEW.status AND NEW.status = 'failed'),
      stored = stored + ${bytesOf("NEW")} - ${bytesOf("OLD")},
      owed = owed + ${owes("NEW")} - ${owes("OLD")}
    WHERE tenant_id IN (NEW.tenant_id, '*');
  END`,
  `CREATE TRIGGER documents_counted_on_delete AFTER DELETE ON documents BEGIN
    UPDATE tenant_stats SET
      waiting = waiting - ${waits("OLD")},
      queued = queued - (OLD.status = 'queued'),
      running = running - (OLD.status = 'running'),
      stored = stored - ${bytesOf("OLD")},
      owed = owed - ${owes("OLD")}
    WHERE tenant_id IN (OLD.tenant_id, '*');
  END`,
  `ALTER TABLE tenant_limits ADD COLUMN max_stored_bytes INTEGER`
]

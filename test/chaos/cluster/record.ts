// What the database saw: triggers write down every change of a document's state and every page that is saved, with the process
// and the attempt that did it. Nothing that the engine does or believes is asked.
import * as PgClient from "@effect/sql-pg/PgClient"
import { Effect, Redacted, Schema } from "effect"
import * as Reactivity from "effect/reactivity/Reactivity"
import { DocumentStatus } from "../../../src/domain/document/Document.ts"
import { processSetting } from "./postgres.ts"

/** Milliseconds since the epoch, by the clock of the database's machine, which is that of the run. */
const at = Schema.Number

/** A document was accepted, changed its status, its attempt or its runner, or was removed. */
export const Change = Schema.Struct({
  at,
  document: Schema.String,
  tenant: Schema.String,
  /** Null when the document was accepted. */
  before: Schema.NullOr(DocumentStatus),
  /** Null when it was removed. */
  status: Schema.NullOr(DocumentStatus),
  attemptBefore: Schema.Int,
  attempt: Schema.Int,
  /** The attempt that the writer held the document under, if the write asked for one. */
  fence: Schema.NullOr(Schema.Int),
  process: Schema.String
})
export type Change = typeof Change.Type

/** A page got its result. */
export const Save = Schema.Struct({
  at,
  document: Schema.String,
  page: Schema.Int,
  /** Of the document at that moment. */
  attempt: Schema.Int,
  status: DocumentStatus,
  fence: Schema.NullOr(Schema.Int),
  process: Schema.String
})
export type Save = typeof Save.Type

export interface Recorded {
  /** Of each document in the order in which they happened. */
  readonly changes: ReadonlyArray<Change>
  readonly saves: ReadonlyArray<Save>
}

/** Every write of a run asks `held_document` first; it notes down who it writes for. */
const noteFence = `
  ALTER FUNCTION held_document(text, int) RENAME TO held_document_unnoted;
  CREATE FUNCTION held_document(f_id text, f_attempt int) RETURNS bigint LANGUAGE plpgsql AS $$
  BEGIN
    PERFORM set_config('chaos.fence', f_id || ' ' || f_attempt, true);
    RETURN held_document_unnoted(f_id, f_attempt);
  END $$;
  CREATE FUNCTION chaos_fence(of text) RETURNS int LANGUAGE plpgsql AS $$
  DECLARE noted text := current_setting('chaos.fence', true);
  BEGIN
    RETURN CASE WHEN split_part(noted, ' ', 1) = of THEN split_part(noted, ' ', 2)::int END;
  END $$;
  CREATE FUNCTION chaos_process() RETURNS text LANGUAGE sql AS
    $$ SELECT coalesce(current_setting('${processSetting}', true), '') $$;
  CREATE FUNCTION chaos_now() RETURNS double precision LANGUAGE sql AS
    $$ SELECT extract(epoch FROM clock_timestamp())::double precision * 1000 $$`

const noteChanges = `
  CREATE TABLE chaos_changes (n bigint GENERATED ALWAYS AS IDENTITY, at double precision, document text, tenant text,
    before text, status text, attempt_before int, attempt int, fence int, process text);
  CREATE FUNCTION chaos_change() RETURNS trigger LANGUAGE plpgsql AS $$
  DECLARE known documents := coalesce(NEW, OLD);
  BEGIN
    INSERT INTO chaos_changes (at, document, tenant, before, status, attempt_before, attempt, fence, process)
      VALUES (chaos_now(), known.id, known.tenant_id, OLD.status, NEW.status, coalesce(OLD.attempt, 0), known.attempt,
        chaos_fence(known.id), chaos_process());
    RETURN NULL;
  END $$;
  CREATE TRIGGER chaos_accepted AFTER INSERT OR DELETE ON documents FOR EACH ROW EXECUTE FUNCTION chaos_change();
  CREATE TRIGGER chaos_changed AFTER UPDATE ON documents FOR EACH ROW
    WHEN (OLD.status <> NEW.status OR OLD.attempt <> NEW.attempt OR OLD.runner IS DISTINCT FROM NEW.runner)
    EXECUTE FUNCTION chaos_change()`

const noteSaves = `
  CREATE TABLE chaos_saves (n bigint GENERATED ALWAYS AS IDENTITY, at double precision, document text, page int, attempt int,
    status text, fence int, process text);
  CREATE FUNCTION chaos_save() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    INSERT INTO chaos_saves (at, document, page, attempt, status, fence, process)
      SELECT chaos_now(), d.id, a.number, d.attempt, d.status, chaos_fence(d.id), chaos_process()
      FROM added a JOIN documents d ON d.seq = a.document;
    RETURN NULL;
  END $$;
  CREATE TRIGGER chaos_saved AFTER INSERT ON pages REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION chaos_save()`

const changesSql = `SELECT at, document, tenant, before, status, attempt_before AS "attemptBefore", attempt, fence, process
  FROM chaos_changes ORDER BY n`
const progressSql =
  "SELECT (SELECT count(*)::int FROM chaos_changes) AS changes, (SELECT count(*)::int FROM chaos_saves) AS saves"
const savesSql = "SELECT at, document, page, attempt, status, fence, process FROM chaos_saves ORDER BY n"

/** Opens the run's own connections. `install` may be called once the tables are there. */
export const openRecord = Effect.fnUntraced(function* (url: string) {
  const sql = yield* PgClient.make({ url: Redacted.make(url), maxConnections: 2 })
  const rows = <S extends Schema.ConstraintDecoder<unknown>>(schema: S, text: string) =>
    Effect.flatMap(sql.unsafe(text).unprepared, (found) => Schema.decodeUnknownEffect(Schema.Array(schema))(found))
  return {
    install: Effect.forEach(
      [noteFence, noteChanges, noteSaves].flatMap((text) => text.split(/;\n {2}(?=ALTER|CREATE)/)),
      (statement) => sql.unsafe(statement).unprepared,
      { discard: true }
    ),
    read: Effect.all({ changes: rows(Change, changesSql), saves: rows(Save, savesSql) }),
    /** How much has been written; two answers that are the same mean that nothing happened between them. */
    progress: rows(Schema.Struct({ changes: Schema.Int, saves: Schema.Int }), progressSql),
    rows
  }
}, Effect.provide(Reactivity.layer))
export type Record = Effect.Success<ReturnType<typeof openRecord>>

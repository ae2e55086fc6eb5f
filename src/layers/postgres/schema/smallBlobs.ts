/**
 * Small blobs, and the acceptance that brings one. A removal takes the lock of the blob first and looks for documents afterwards; an
 * acceptance writes its document first and its bytes afterwards, under the same lock. So either the removal sees the document, or
 * the bytes are written again.
 */
import { lockBlob } from "./acceptance.ts"

const table = [
  `CREATE TABLE small_blobs (hash text COLLATE "C" PRIMARY KEY, bytes bytea NOT NULL, put_at bigint NOT NULL)`,
  // PDFs are compressed already.
  `ALTER TABLE small_blobs ALTER COLUMN bytes SET STORAGE EXTERNAL`
]

const save = `
  CREATE FUNCTION save_blob(s_hash text, s_bytes bytea) RETURNS void LANGUAGE plpgsql AS $$
  BEGIN
    ${lockBlob("s_hash")};
    INSERT INTO small_blobs (hash, bytes, put_at) VALUES (s_hash, s_bytes, store_now())
      ON CONFLICT (hash) DO UPDATE SET bytes = excluded.bytes, put_at = excluded.put_at;
  END $$
`

/** Locks the tenant first and then the blob, as the removal of a document does. */
export const acceptWithBytes = `
  CREATE OR REPLACE FUNCTION accept_with_bytes(
    a_bytes bytea, a_id text, a_tenant text, a_name text, a_source_url text, a_blob text, a_size bigint, a_priority int,
    a_not_before bigint, a_sealed_password text, a_password_key text, a_callback text, a_trace text, a_reuse boolean,
    a_reference bigint, most bigint, most_of_all bigint, most_stored double precision, a_pipeline text DEFAULT NULL
  ) RETURNS TABLE (outcome text, detail bigint, document text) LANGUAGE plpgsql AS $$
  BEGIN
    SELECT * INTO outcome, detail, document FROM accept_document(
      a_id, a_tenant, a_name, a_source_url, a_blob, a_size, a_priority, a_not_before, a_sealed_password, a_password_key,
      a_callback, a_trace, a_reuse, a_reference, most, most_of_all, most_stored, a_pipeline
    );
    IF outcome IN ('accepted', 'shared') THEN PERFORM save_blob(a_blob, a_bytes); END IF;
    RETURN NEXT;
  END $$
`

export const removeBlob = `
  CREATE OR REPLACE FUNCTION remove_blob(r_hash text, put_before bigint) RETURNS void LANGUAGE plpgsql AS $$
  BEGIN
    ${lockBlob("r_hash")};
    DELETE FROM small_blobs WHERE hash = r_hash AND put_at < put_before
      AND NOT EXISTS (SELECT 1 FROM documents WHERE blob = r_hash)
      AND NOT EXISTS (SELECT 1 FROM artifacts WHERE blob = r_hash);
  END $$
`

export const smallBlobs: ReadonlyArray<string> = [...table, save, acceptWithBytes, removeBlob]

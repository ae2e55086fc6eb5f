import { Schema } from "effect"

/** A customer of the engine. Chosen by whoever runs it, so the form is narrow enough for logs, URLs and file names. */
export const TenantId = Schema.String.check(
  Schema.isPattern(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, {
    message: "a tenant id is 1 to 64 letters, digits, dots, dashes or underscores, and starts with a letter or digit"
  })
).pipe(Schema.brand("TenantId"))
export type TenantId = typeof TenantId.Type

/** One PDF of one tenant. A UUIDv7, so that ids sort by the time of acceptance. */
export const DocumentId = Schema.String.check(Schema.isUUID()).pipe(Schema.brand("DocumentId"))
export type DocumentId = typeof DocumentId.Type

/** SHA-256 of a blob's bytes, in lower-case hexadecimal: 64 characters. */
export const BlobHash = Schema.String.check(
  Schema.isPattern(/^[0-9a-f]{64}$/, { message: "a blob hash is 64 lower-case hexadecimal digits" })
).pipe(Schema.brand("BlobHash"))
export type BlobHash = typeof BlobHash.Type

/** One running engine process. New at every start, so a restarted process never mistakes an old lease for its own. */
export const RunnerId = Schema.NonEmptyString.pipe(Schema.brand("RunnerId"))
export type RunnerId = typeof RunnerId.Type

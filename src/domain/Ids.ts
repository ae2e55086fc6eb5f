import { Schema } from "effect"
import { examples } from "./Examples.ts"

/** A customer of the engine. Operators choose the id, so its form is safe for logs, URLs and file names. */
export const TenantId = Schema.String.check(
  Schema.isPattern(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, {
    message: "a tenant id is 1 to 64 letters, digits, dots, dashes or underscores, and starts with a letter or digit"
  })
).pipe(Schema.brand("TenantId"), examples("acme"))
export type TenantId = typeof TenantId.Type

/** The document id in examples. */
export const documentIdExample = "01900000-0000-7000-8000-000000000001"

/** One PDF of one tenant. A UUIDv7, so that ids sort by the time of acceptance. */
export const DocumentId = Schema.String.check(Schema.isUUID()).pipe(
  Schema.brand("DocumentId"),
  examples(documentIdExample)
)
export type DocumentId = typeof DocumentId.Type

/** SHA-256 of a blob's bytes, in lower-case hexadecimal: 64 characters. */
export const BlobHash = Schema.String.check(
  Schema.isPattern(/^[0-9a-f]{64}$/, { message: "a blob hash is 64 lower-case hexadecimal digits" })
).pipe(Schema.brand("BlobHash"), examples("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"))
export type BlobHash = typeof BlobHash.Type

/** One running engine process. New at every start, so a restarted process never mistakes an old lease for its own. */
export const RunnerId = Schema.NonEmptyString.pipe(Schema.brand("RunnerId"))
export type RunnerId = typeof RunnerId.Type

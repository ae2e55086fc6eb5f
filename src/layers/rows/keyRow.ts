/** Turns the row of an API key into a domain value. */
import { DateTime } from "effect"
import { TenantId } from "../../domain/Ids.ts"
import { ApiKey, ApiKeyId } from "../../domain/tenant/ApiKey.ts"
import { number, type Row, text } from "./documentRows.ts"

/** `use`: a use that is not written to the database yet. */
export const toKey = (row: Row, use: (id: ApiKeyId) => number | undefined): ApiKey => {
  const id = ApiKeyId.make(text(row, "id"))
  const written = row["last_used_at"] === null ? 0 : number(row, "last_used_at")
  const used = use(id)
  return new ApiKey({
    id,
    tenantId: TenantId.make(text(row, "tenant_id")),
    name: text(row, "name"),
    createdAt: DateTime.makeUnsafe(number(row, "created_at")),
    ...(used === undefined && row["last_used_at"] === null
      ? {}
      : { lastUsedAt: DateTime.makeUnsafe(Math.max(written, used ?? 0)) })
  })
}

import { Schema } from "effect"
import { examples } from "../Examples.ts"
import { TenantId } from "../Ids.ts"

/** Names a key without being of any use to whoever knows it: part of the key, and of lists and logs. */
export const ApiKeyId = Schema.String.check(
  Schema.isPattern(/^[0-9a-f]{16}$/, { message: "a key's id is 16 lower-case hexadecimal digits" })
).pipe(Schema.brand("ApiKeyId"), examples("36a4c438eb2aa859"))
export type ApiKeyId = typeof ApiKeyId.Type

/** What a key is for, in the words of whoever made it. */
export const ApiKeyName = Schema.String.check(
  Schema.isPattern(/^[^\p{Cc}\p{Zl}\p{Zp}]{1,100}$/u, {
    message: "1 to 100 characters, none of them a control character"
  })
)

export const apiKeyExample = {
  id: "36a4c438eb2aa859",
  tenantId: "acme",
  name: "nightly import",
  createdAt: "2030-01-01T09:00:00.000Z",
  lastUsedAt: "2030-01-01T11:59:00.000Z"
}

/** What may be known of a key once it was handed out. The key itself is kept nowhere. */
export class ApiKey extends Schema.Class<ApiKey>("ApiKey")(
  Schema.Struct({
    id: ApiKeyId,
    tenantId: TenantId,
    name: ApiKeyName,
    createdAt: Schema.DateTimeUtcFromString,
    lastUsedAt: Schema.optionalKey(
      Schema.DateTimeUtcFromString.annotate({ description: "To the minute; absent as long as the key was never used." })
    )
  }).pipe(examples(apiKeyExample))
) {}

import { Schema } from "effect"
import { examples } from "../Examples.ts"
import { TenantId } from "../Ids.ts"

/** Identifies a key but gives no access: it is part of the key and appears in lists and logs. */
export const ApiKeyId = Schema.String.check(
  Schema.isPattern(/^[0-9a-f]{16}$/, { message: "a key's id is 16 lower-case hexadecimal digits" })
).pipe(Schema.brand("ApiKeyId"), examples("36a4c438eb2aa859"))
export type ApiKeyId = typeof ApiKeyId.Type

/** The purpose of a key, in the words of its creator. */
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

/** What is known about a key after it was handed out. The key itself is not stored. */
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

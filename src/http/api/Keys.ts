import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { examples } from "../../domain/Examples.ts"
import { ApiKey, apiKeyExample, ApiKeyId, ApiKeyName } from "../../domain/tenant/ApiKey.ts"
import { TenantId } from "../../domain/Ids.ts"
import { TenantIdentification, tenantHeaders, tenantQuery } from "../auth/CurrentTenant.ts"
import {
  ConflictResponse,
  ForbiddenResponse,
  jsonProblems,
  NotFoundResponse,
  ServiceUnavailableResponse
} from "./problems/ProblemResponses.ts"
import { RequestRules } from "./RequestRules.ts"

const tenantParams = { tenant: TenantId }

export const NewKey = Schema.Struct({
  name: ApiKeyName.annotate({ description: "What the key is for: the machine or the program that will have it." })
}).annotate({ identifier: "NewKey", examples: [{ name: apiKeyExample.name }] })

const { lastUsedAt: _, ...unused } = apiKeyExample

export const IssuedKeyView = Schema.Struct({
  ...ApiKey.fields,
  key: Schema.String.annotate({ description: "The key itself. Only this answer contains it." })
}).pipe(Schema.annotate({ identifier: "IssuedKey" }), examples({ ...unused, key: "sluice_36a4c438eb2aa859_<secret>" }))

export const KeyList = Schema.Struct({ keys: Schema.Array(ApiKey) }).pipe(examples({ keys: [apiKeyExample] }))

const create = HttpApiEndpoint.post("create", "/v1/tenants/:tenant/keys", {
  params: tenantParams,
  query: tenantQuery,
  headers: tenantHeaders,
  payload: NewKey,
  success: IssuedKeyView.pipe(HttpApiSchema.status(201)),
  error: [...jsonProblems, ForbiddenResponse, ConflictResponse, ServiceUnavailableResponse]
}).annotateMerge(
  OpenApi.annotations({
    summary: "Make an API key for a tenant",
    description:
      "The tenant need not exist before. To rotate a key, make a new one, replace the old one where it is used, and " +
      "revoke the old one. A tenant may have up to 100 keys at once, then 409 `TOO_MANY_KEYS`."
  })
)

const list = HttpApiEndpoint.get("list", "/v1/tenants/:tenant/keys", {
  params: tenantParams,
  query: tenantQuery,
  headers: tenantHeaders,
  success: KeyList,
  error: [ForbiddenResponse, ServiceUnavailableResponse]
}).annotateMerge(
  OpenApi.annotations({
    summary: "The API keys of a tenant that work, oldest first",
    description: "Without the keys themselves: only the answer that makes a key contains it."
  })
)

const revoke = HttpApiEndpoint.delete("revoke", "/v1/tenants/:tenant/keys/:key", {
  params: { ...tenantParams, key: ApiKeyId },
  query: tenantQuery,
  headers: tenantHeaders,
  success: HttpApiSchema.NoContent,
  error: [ForbiddenResponse, NotFoundResponse, ServiceUnavailableResponse]
}).annotateMerge(
  OpenApi.annotations({
    summary: "Revoke an API key",
    description:
      "The key is refused once this is answered. Event streams that were opened with it end; other requests under " +
      "way are finished."
  })
)

export class KeysApi extends HttpApiGroup.make("keys")
  .add(create, list, revoke)
  .middleware(TenantIdentification)
  .middleware(RequestRules)
  .annotateMerge(OpenApi.annotations({ title: "API keys", description: "For the administrator's key only." })) {}

import { Context, type Effect } from "effect"
import type { ApiKeyId } from "../../domain/tenant/ApiKey.ts"
import type { TenantId } from "../../domain/Ids.ts"
import { Unauthorized } from "../api/problems/Problems.ts"

/** The caller of a request, as far as it is authenticated. */
export type Principal =
  /** The server requires no key and accepts every tenant that a request names. */
  | { readonly _tag: "Anyone" }
  | { readonly _tag: "Admin" }
  | {
      readonly _tag: "Tenant"
      readonly id: TenantId
      readonly key: ApiKeyId
      /** Completes once the key is revoked. */
      readonly revoked: Effect.Effect<void>
    }
  | { readonly _tag: "Anonymous" }

/** The caller of the current request. A request that was never authenticated is `Anonymous`, so a forgotten check denies access. */
export const CurrentPrincipal = Context.Reference<Principal>("sluice/http/auth/Principal/CurrentPrincipal", {
  defaultValue: () => ({ _tag: "Anonymous" })
})

export const keyRequired = new Unauthorized({
  code: "AUTH_REQUIRED",
  detail: "the request has no API key",
  advice: "Send the header Authorization: Bearer <key>, or X-Api-Key: <key>."
})

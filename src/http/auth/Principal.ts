import { Context, type Effect } from "effect"
import type { ApiKeyId } from "../../domain/tenant/ApiKey.ts"
import type { TenantId } from "../../domain/Ids.ts"
import { Unauthorized } from "../api/problems/Problems.ts"

/** Who sent a request, as far as it was proved. */
export type Principal =
  /** The server asks nobody, and believes every claim. */
  | { readonly _tag: "Anyone" }
  | { readonly _tag: "Admin" }
  | {
      readonly _tag: "Tenant"
      readonly id: TenantId
      readonly key: ApiKeyId
      /** Completes once the key is revoked. */
      readonly revoked: Effect.Effect<void>
    }
  | { readonly _tag: "Nobody" }

/** Of the request at hand. Who was not looked at is nobody, so nothing opens by being forgotten. */
export const CurrentPrincipal = Context.Reference<Principal>("sluice/http/CurrentPrincipal", {
  defaultValue: () => ({ _tag: "Nobody" })
})

export const keyRequired = new Unauthorized({
  code: "AUTH_REQUIRED",
  detail: "the request has no API key",
  advice: "Send the header Authorization: Bearer <key>, or X-Api-Key: <key>."
})

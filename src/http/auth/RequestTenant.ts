import type { HttpServerRequest } from "effect/http"
import type { TenantId } from "../../domain/Ids.ts"

/** The tenant of a request, for code outside of its handler. Known once `TenantIdentification` has run. */
const tenants = new WeakMap<object, TenantId>()

export const rememberTenant = ({ source }: HttpServerRequest.HttpServerRequest, tenant: TenantId): void => {
  tenants.set(source, tenant)
}

export const tenantOfRequest = ({ source }: HttpServerRequest.HttpServerRequest): TenantId | undefined =>
  tenants.get(source)

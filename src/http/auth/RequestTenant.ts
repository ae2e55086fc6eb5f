import type { HttpServerRequest } from "effect/http"
import type { TenantId } from "../../domain/Ids.ts"

/** Whose a request is, for what sees it outside of its handler. Known once the handler's middleware has found it out. */
const tenants = new WeakMap<object, TenantId>()

export const rememberTenant = ({ source }: HttpServerRequest.HttpServerRequest, tenant: TenantId): void => {
  tenants.set(source, tenant)
}

export const tenantOfRequest = ({ source }: HttpServerRequest.HttpServerRequest): TenantId | undefined =>
  tenants.get(source)

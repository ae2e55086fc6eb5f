/** The columns of a tenant's limits. */
import { type LimitName, limitNames } from "../../domain/tenant/TenantLimits.ts"

export const columnOf = (limit: LimitName): string => limit.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

export const limitColumns = limitNames.map(columnOf).join(", ")

/** To be selected under the names of the limits. */
export const namedLimits = limitNames.map((limit) => `${columnOf(limit)} AS "${limit}"`).join(", ")

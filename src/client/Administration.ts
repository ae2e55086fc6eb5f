import { Effect } from "effect"
import type { Interface } from "./ClientInterface.ts"
import type { Connection } from "./Connection.ts"

/** Tenants and their keys. */
export const administrationWith = ({
  api,
  ask
}: Connection): Pick<Interface, "changeTenant" | "createKey" | "keys" | "revokeKey" | "runners" | "tenant"> => ({
  runners: Effect.map(ask(api.workers.runners({ query: {}, headers: {} })), (answer) => answer.runners),
  tenant: (tenant) =>
    tenant === undefined
      ? ask(api.tenants.own({ query: {}, headers: {} }))
      : ask(api.tenants.find({ params: { tenant }, query: {}, headers: {} })),
  changeTenant: (tenant, change) =>
    ask(api.tenants.change({ params: { tenant }, query: {}, headers: {}, payload: change })),
  keys: (tenant) =>
    Effect.map(ask(api.keys.list({ params: { tenant }, query: {}, headers: {} })), (answer) => answer.keys),
  createKey: (tenant, name) => ask(api.keys.create({ params: { tenant }, query: {}, headers: {}, payload: { name } })),
  revokeKey: (tenant, key) => ask(api.keys.revoke({ params: { tenant, key }, query: {}, headers: {} }))
})

import { Effect } from "effect"
import type { Interface } from "./ClientInterface.ts"
import type { Connection } from "./Connection.ts"

/** Tenants and their keys, downstreams, and what was used. */
export const administrationWith = ({
  api,
  ask
}: Connection): Pick<
  Interface,
  | "changeDownstream"
  | "changeTenant"
  | "createKey"
  | "downstream"
  | "downstreams"
  | "keys"
  | "revokeKey"
  | "runners"
  | "tenant"
  | "usage"
> => ({
  runners: Effect.map(ask(api.workers.runners({ query: {}, headers: {} })), (answer) => answer.runners),
  tenant: (tenant) =>
    tenant === undefined
      ? ask(api.tenants.own({ query: {}, headers: {} }))
      : ask(api.tenants.find({ params: { tenant }, query: {}, headers: {} })),
  changeTenant: (tenant, change) =>
    ask(api.tenants.change({ params: { tenant }, query: {}, headers: {}, payload: change })),
  downstreams: Effect.map(ask(api.downstreams.list({ query: {}, headers: {} })), (answer) => answer.downstreams),
  downstream: (name) => ask(api.downstreams.find({ params: { name }, query: {}, headers: {} })),
  changeDownstream: (name, change) =>
    ask(api.downstreams.change({ params: { name }, query: {}, headers: {}, payload: change })),
  usage: (query = {}) => ask(api.usage.list({ query, headers: {} })),
  keys: (tenant) =>
    Effect.map(ask(api.keys.list({ params: { tenant }, query: {}, headers: {} })), (answer) => answer.keys),
  createKey: (tenant, name) => ask(api.keys.create({ params: { tenant }, query: {}, headers: {}, payload: { name } })),
  revokeKey: (tenant, key) => ask(api.keys.revoke({ params: { tenant, key }, query: {}, headers: {} }))
})

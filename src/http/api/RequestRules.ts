import { HttpApiMiddleware } from "effect/http-api"

/**
 * The rules for every request: unknown names are refused, in queries as in bodies, and all errors are reported at once. Unknown
 * headers are allowed, because proxies add their own. `layer` in `rules/RequestRules.ts` applies the rules.
 */
export class RequestRules extends HttpApiMiddleware.Service<RequestRules>()("sluice/http/api/RequestRules") {}

const all = { errors: "all" } as const
const strict = { ...all, onExcessProperty: "error" } as const

/** How the parts of a request are decoded. */
export const parseOptions = { params: all, headers: all, query: strict, payload: strict } as const

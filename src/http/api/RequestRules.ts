import { HttpApiMiddleware } from "effect/http-api"

/**
 * The rules for every request: what is not known is refused, in queries as in bodies, and all that is wrong is told at once. Headers
 * are an exception, as everything on the way adds some of its own. `layer` in `edge/RequestRules.ts` applies them.
 */
export class RequestRules extends HttpApiMiddleware.Service<RequestRules>()("sluice/http/api/RequestRules") {}

const all = { errors: "all" } as const
const strict = { ...all, onExcessProperty: "error" } as const

/** How the parts of a request are decoded. */
export const parseOptions = { params: all, headers: all, query: strict, payload: strict } as const

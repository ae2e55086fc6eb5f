import { Duration } from "effect"
import { deadlineHeader } from "../http/api/search/Search.ts"
import type { Interface } from "./ClientInterface.ts"
import type { Connection } from "./Connection.ts"

export const searchWith =
  ({ api, ask }: Connection): Interface["search"] =>
  (query, { deadline, ...request } = {}) =>
    ask(
      api.search.search({
        query: {},
        headers:
          deadline === undefined
            ? {}
            : { [deadlineHeader]: `${Math.ceil(Duration.toMillis(Duration.fromInputUnsafe(deadline)))}ms` },
        payload: { query, ...request }
      })
    )

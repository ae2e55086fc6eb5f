import { Effect, Stream } from "effect"
import type { Interface } from "./ClientInterface.ts"
import type { Connection } from "./Connection.ts"

export const eventsWith =
  ({ api, ask }: Connection): Interface["events"] =>
  ({ after, id, scope } = {}) => {
    const query = after === undefined ? {} : { lastEventId: after }
    const asked =
      id === undefined
        ? api.events.all({ query: scope === undefined ? query : { ...query, scope }, headers: {} })
        : // No content: the end was received before.
          Effect.map(api.events.document({ params: { id }, query, headers: {} }), (found) => found ?? Stream.empty)
    return Stream.unwrap(ask(asked)).pipe(Stream.catch((error) => Stream.fromEffect(ask(Effect.fail(error)))))
  }

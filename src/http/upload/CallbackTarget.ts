import { Effect, Result } from "effect"
import { parseHttpUrl } from "../../domain/net/HttpUrl.ts"
import { allowsUrl } from "../../domain/net/PrivateHosts.ts"
import { PrivateWebhooks } from "../../services/config/OutboundPolicy.ts"
import { requestError, type RequestPart } from "../api/problems/InvalidRequest.ts"
import { BadRequest } from "../api/problems/Problems.ts"

const message = "the host is not public"

/**
 * Fails when the host of a callback is forbidden, as far as the text of the URL shows; a name is resolved and checked at each
 * delivery. The schema of the URL cannot check this, because it depends on the operator's settings.
 */
export const callbackAllowed = Effect.fnUntraced(function* (
  part: RequestPart,
  name: string,
  text: string | null | undefined
) {
  const url = Result.getOrUndefined(parseHttpUrl(text ?? ""))
  if (url === undefined || allowsUrl(yield* PrivateWebhooks, url)) return
  const error = requestError(part, name, message)
  return yield* new BadRequest({
    code: "INVALID_REQUEST",
    detail: `${error.field}: ${message}`,
    advice: "Name a public host; private ones have to be allowed by the operator (ALLOW_PRIVATE_WEBHOOKS).",
    errors: [error]
  })
})

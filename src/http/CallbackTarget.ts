import { Effect, Result } from "effect"
import { parseHttpUrl } from "../domain/HttpUrl.ts"
import { allowsUrl } from "../domain/PrivateHosts.ts"
import { PrivateWebhooks } from "../services/OutboundPolicy.ts"
import { BadRequest } from "./Problems.ts"

const message = "the host is not public"

/**
 * Fails when the host of a callback may not be reached, as far as the URL's text tells; a name is judged at each delivery.
 * The schema of the URL cannot say so: it depends on what the operator allows.
 */
export const callbackAllowed = Effect.fnUntraced(function* (field: string, text: string | null | undefined) {
  const url = Result.getOrUndefined(parseHttpUrl(text ?? ""))
  if (url === undefined || allowsUrl(yield* PrivateWebhooks, url)) return
  return yield* new BadRequest({
    code: "INVALID_REQUEST",
    detail: `${field}: ${message}`,
    advice: "Name a public host; private ones have to be allowed by the operator (ALLOW_PRIVATE_WEBHOOKS).",
    errors: [{ field, message }]
  })
})

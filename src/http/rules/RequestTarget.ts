import { Result } from "effect"
import { type RequestError, requestError } from "../api/problems/InvalidRequest.ts"

/** More parameters than any request needs. They are counted before they are parsed. */
const mostParameters = 100

const isDecodable = (text: string) =>
  !text.includes("%") || Result.isSuccess(Result.try(() => decodeURIComponent(text)))

const wrongEscapes = "has a % that is not followed by two hexadecimal digits, or bytes that are not UTF-8"

/** Errors in the request target as it was sent, found before routing. */
export const targetErrors = (url: string): ReadonlyArray<RequestError> => {
  const cut = url.indexOf("?")
  const path = cut < 0 ? url : url.slice(0, cut)
  const query = cut < 0 ? "" : url.slice(cut + 1)
  const errors: Array<RequestError> = []
  for (const [part, text] of [["params", path] as const, ["query", query] as const]) {
    if (/[^\x21-\x7e]/.test(text)) errors.push(requestError(part, "", "has characters that must be percent-encoded"))
    else if (!isDecodable(text)) errors.push(requestError(part, "", wrongEscapes))
  }
  let parameters = 1
  for (let at = query.indexOf("&"); at >= 0 && parameters <= mostParameters; at = query.indexOf("&", at + 1))
    parameters++
  if (parameters > mostParameters) errors.push(requestError("query", "", `has more than ${mostParameters} parameters`))
  return errors
}

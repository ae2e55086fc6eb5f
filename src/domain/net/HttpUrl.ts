import { Result } from "effect"

const schemes: ReadonlySet<string> = new Set(["http:", "https:"])

/** Whether the text starts with a scheme, so that it is a URL and not a path. */
export const looksLikeUrl = (text: string): boolean => /^\s*[a-z][a-z0-9+.-]*:/i.test(text)

/** An http(s) URL without credentials, or the reason why it is refused. Does not check whether its host may be reached. */
export const parseHttpUrl = (text: string, base?: URL): Result.Result<URL, string> => {
  const url = URL.parse(text, base?.href)
  if (url === null) return Result.fail("it is not a valid URL")
  if (!schemes.has(url.protocol)) return Result.fail("the scheme must be http or https")
  if (url.username !== "" || url.password !== "") return Result.fail("a URL must not carry a user name or password")
  if (url.port === "0") return Result.fail("port 0 cannot be reached")
  // A fragment is never sent to the server.
  url.hash = ""
  return Result.succeed(url)
}

/** The host, without the brackets of an IPv6 literal. */
export const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, "")

/** The port that is dialled: the one named, or the scheme's. */
export const portOf = (url: URL): number => Number(url.port) || (url.protocol === "https:" ? 443 : 80)

/** Scheme, host and port, which are safe to show; the rest of a URL may contain a token. Empty if the text is no URL. */
export const originOf = (text: string): string =>
  Result.match(parseHttpUrl(text), { onFailure: () => "", onSuccess: ({ origin }) => origin })

const maxNameLength = 255

/** A name to show for the file: the last segment of the path. It is untrusted data and only shown. */
export const nameOf = (url: URL): string => {
  const segment = url.pathname.split("/").findLast((part) => part !== "") ?? ""
  return Array.from(decode(segment)).slice(0, maxNameLength).join("") || url.hostname
}

const decode = (segment: string): string => {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

import { Result } from "effect"

const schemes: ReadonlySet<string> = new Set(["http:", "https:"])

/** The text names a scheme, so it is meant as a URL and not as a path. */
export const looksLikeUrl = (text: string): boolean => /^\s*[a-z][a-z0-9+.-]*:/i.test(text)

/** An http(s) URL that carries no credentials, or what is wrong with it. Says nothing about where its host is. */
export const parseHttpUrl = (text: string, base?: URL): Result.Result<URL, string> => {
  const url = URL.parse(text, base?.href)
  if (url === null) return Result.fail("it is not a valid URL")
  if (!schemes.has(url.protocol)) return Result.fail("the scheme must be http or https")
  if (url.username !== "" || url.password !== "") return Result.fail("a URL must not carry a user name or password")
  if (url.port === "0") return Result.fail("port 0 cannot be reached")
  // A fragment is for the reader, not for the server.
  url.hash = ""
  return Result.succeed(url)
}

/** Without the brackets of an IPv6 literal. */
export const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, "")

/** The port that is dialled: the one named, or the scheme's. */
export const portOf = (url: URL): number => Number(url.port) || (url.protocol === "https:" ? 443 : 80)

/** Scheme, host and port: what can be shown of a URL whose rest may carry a token. Empty for what is no URL. */
export const originOf = (text: string): string =>
  Result.match(parseHttpUrl(text), { onFailure: () => "", onSuccess: ({ origin }) => origin })

const maxNameLength = 255

/** A name to show for the file: the last segment of the path, never more than data. */
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

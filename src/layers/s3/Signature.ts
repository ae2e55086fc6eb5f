import { createHash, createHmac } from "node:crypto"
import { Redacted } from "effect"

// AWS Signature Version 4 of one request to an S3 server: every header given here and the hash of the body are signed.

export interface Credentials {
  readonly keyId: string
  readonly secret: Redacted.Redacted
  /** Of credentials that are valid for some hours only. */
  readonly sessionToken: Redacted.Redacted | undefined
}

export interface Unsigned {
  readonly method: "DELETE" | "GET" | "HEAD" | "PUT"
  /** Its path and query are encoded as `encodePath` and `encodeQuery` do it. */
  readonly url: URL
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** SHA-256 of the body in hex. The server refuses a body that has another. */
  readonly bodyHash: string
}

/** The hash of a body without bytes. */
export const emptyHash = createHash("sha256").digest("hex")

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex")
const hmac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest()

/** RFC 3986: all but unreserved characters is percent-encoded. */
const encode = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)

export const encodePath = (path: string) => path.split("/").map(encode).join("/")

/** In the order of the names, as the signature needs it. */
export const encodeQuery = (query: Readonly<Record<string, string>>) =>
  Object.entries(query)
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .toSorted()
    .join("&")

/** `20130524T000000Z` */
export const compactTime = (millis: number) => new Date(millis).toISOString().replace(/[:-]|\.\d{3}/g, "")

const signatureOf = (
  canonical: string,
  { region, scope, time }: { readonly region: string; readonly scope: string; readonly time: string },
  secret: Redacted.Redacted
) => {
  const key = [region, "s3", "aws4_request"].reduce<Buffer>(
    hmac,
    hmac(`AWS4${Redacted.value(secret)}`, time.slice(0, 8))
  )
  return hmac(key, ["AWS4-HMAC-SHA256", time, scope, sha256(canonical)].join("\n")).toString("hex")
}

const scopeAt = (millis: number, region: string) => {
  const time = compactTime(millis)
  return { region, time, scope: `${time.slice(0, 8)}/${region}/s3/aws4_request` }
}

/** The headers to send, the signature among them. The server accepts it for about 15 minutes around `millis`. */
export const sign = (
  { bodyHash, headers, method, url }: Unsigned,
  { keyId, secret, sessionToken }: Credentials,
  region: string,
  millis: number
): Readonly<Record<string, string>> => {
  const at = scopeAt(millis, region)
  const signed: Record<string, string> = {
    ...headers,
    host: url.host,
    "x-amz-content-sha256": bodyHash,
    "x-amz-date": at.time,
    ...(sessionToken === undefined ? {} : { "x-amz-security-token": Redacted.value(sessionToken) })
  }
  const names = Object.keys(signed).toSorted()
  const lines = names.map((name) => `${name}:${(signed[name] ?? "").trim().replace(/\s+/g, " ")}`)
  const query = url.search.slice(1)
  const canonical = [method, url.pathname, query, ...lines, "", names.join(";"), bodyHash].join("\n")
  const signature = signatureOf(canonical, at, secret)
  return {
    ...signed,
    authorization: `AWS4-HMAC-SHA256 Credential=${keyId}/${at.scope}, SignedHeaders=${names.join(";")}, Signature=${signature}`
  }
}

/** The URL with its signature in the query. The server accepts it for `seconds` from `millis` on, and not a moment longer. */
export const presign = (
  method: Unsigned["method"],
  url: URL,
  { keyId, secret, sessionToken }: Credentials,
  region: string,
  millis: number,
  seconds: number
): URL => {
  const at = scopeAt(millis, region)
  const query = encodeQuery({
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Credential": `${keyId}/${at.scope}`,
    "X-Amz-Date": at.time,
    "X-Amz-Expires": String(seconds),
    ...(sessionToken === undefined ? {} : { "X-Amz-Security-Token": Redacted.value(sessionToken) }),
    "X-Amz-SignedHeaders": "host"
  })
  const canonical = [method, url.pathname, query, `host:${url.host}`, "", "host", "UNSIGNED-PAYLOAD"].join("\n")
  return new URL(`${url.origin}${url.pathname}?${query}&X-Amz-Signature=${signatureOf(canonical, at, secret)}`)
}

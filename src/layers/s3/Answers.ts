import type { S3Reason } from "./S3Error.ts"

// What an S3 server's answers mean. Its XML is small and flat, so a few patterns read it.

const entities = new Map(Object.entries({ amp: "&", apos: "'", gt: ">", lt: "<", quot: '"' }))

const unescape = (text: string) =>
  text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (whole, decimal?: string, hex?: string, name?: string) => {
    if (name !== undefined) return entities.get(name) ?? whole
    const code = decimal === undefined ? Number.parseInt(hex ?? "", 16) : Number(decimal)
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole
  })

/** The text of the first element of that name. */
export const element = (xml: string, name: string): string | undefined => {
  const found = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1]
  return found === undefined ? undefined : unescape(found)
}

export interface ListedObject {
  readonly key: string
  readonly size: number
  /** By the server's clock, to the second or finer. */
  readonly modifiedAtMillis: number
}

export interface ListPage {
  readonly objects: ReadonlyArray<ListedObject>
  /** Continues the list. */
  readonly next: string | undefined
}

/** A page of a list (ListObjectsV2). Undefined if it is not one. */
export const readListPage = (xml: string): ListPage | undefined => {
  if (!xml.includes("<ListBucketResult")) return undefined
  const objects: Array<ListedObject> = []
  for (const [, contents = ""] of xml.matchAll(/<Contents>(.*?)<\/Contents>/gs)) {
    const key = element(contents, "Key")
    const size = Number(element(contents, "Size"))
    const modifiedAtMillis = Date.parse(element(contents, "LastModified") ?? "")
    if (key === undefined || !Number.isSafeInteger(size) || Number.isNaN(modifiedAtMillis)) return undefined
    objects.push({ key, size, modifiedAtMillis })
  }
  return { objects, next: element(xml, "NextContinuationToken") }
}

const reasons = new Map<string, S3Reason>(
  Object.entries({
    AccessDenied: "not-allowed",
    AllAccessDisabled: "not-allowed",
    AuthorizationHeaderMalformed: "other-region",
    BadDigest: "damaged",
    ExpiredToken: "wrong-key",
    IncompleteBody: "damaged",
    InternalError: "busy",
    InvalidAccessKeyId: "wrong-key",
    InvalidToken: "wrong-key",
    NoSuchBucket: "no-bucket",
    OperationAborted: "busy",
    PermanentRedirect: "other-region",
    RequestTimeTooSkewed: "clocks-apart",
    RequestTimeout: "busy",
    ServiceUnavailable: "busy",
    SignatureDoesNotMatch: "wrong-key",
    SlowDown: "busy",
    TemporaryRedirect: "busy",
    XAmzContentSHA256Mismatch: "damaged"
  } as const)
)

export const reasonOf = (status: number, code: string | undefined): S3Reason => {
  const known = reasons.get(code ?? "")
  if (known !== undefined) return known
  if (status >= 500 || status === 408 || status === 429) return "busy"
  if (status === 401 || status === 403) return "not-allowed"
  return status >= 300 && status < 400 ? "other-region" : "refused"
}

/** The answer to a call whose signature has expired. */
export const isExpired = (code: string | undefined, message: string | undefined) =>
  code === "AccessDenied" && /expired/i.test(message ?? "")

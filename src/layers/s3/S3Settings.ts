import { Config, Duration, Option, type Redacted, Result, Schema } from "effect"
import { duration } from "../../services/config/ConfigValues.ts"
import type { Credentials } from "./Signature.ts"

/** How to reach an S3 server, and as whom. */
export interface S3Access {
  /** Undefined for Amazon's, whose address follows from the region. */
  readonly endpoint: URL | undefined
  readonly region: string
  /** The bucket is in the path of a URL, not in its host name. */
  readonly pathStyle: boolean
  readonly credentials: Credentials
  /** The longest that a call may take, besides the time for its bytes. */
  readonly timeout: Duration.Duration
}

/** A bucket, or what lies below a prefix in it. */
export interface S3Place {
  readonly bucket: string
  /** Without a slash at either end; empty for the whole bucket. */
  readonly prefix: string
}

const bucketName = /^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$/i
export const longestKey = 1024

/** A path with a dot segment would be another path once it is in a URL. */
export const isPlainKey = (key: string) =>
  new TextEncoder().encode(key).length <= longestKey &&
  key.isWellFormed() &&
  // oxlint-disable-next-line no-control-regex -- control characters are what is refused
  !/[\u0000-\u001f\u007f]/.test(key) &&
  key.split("/").every((segment) => segment !== "" && segment !== "." && segment !== "..")

export const placeForm = "s3://bucket or s3://bucket/prefix"

/** Reads `s3://bucket/prefix`; a slash at the end does not count. */
export const parsePlace = (text: string): Result.Result<S3Place, string> => {
  const [, bucket = "", prefix = ""] = /^s3:\/\/([^/]*)(?:\/(.*?))?\/?$/is.exec(text.trim()) ?? []
  return bucketName.test(bucket) && (prefix === "" || isPlainKey(prefix))
    ? Result.succeed({ bucket, prefix })
    : Result.fail(placeForm)
}

export const placeText = ({ bucket, prefix }: S3Place) => `s3://${bucket}${prefix === "" ? "" : `/${prefix}`}`

const endpoint = Config.schema(
  Schema.String.check(
    Schema.makeFilter((text: string) => {
      const url = URL.parse(text)
      const isServer =
        (url?.protocol === "http:" || url?.protocol === "https:") && url.username === "" && url.search === ""
      return isServer || "the address of an S3 server, such as https://s3.example.org"
    })
  ),
  "S3_ENDPOINT"
).pipe(
  Config.map((text) => new URL(text)),
  Config.withDefault(undefined)
)

const optional = <A>(config: Config.Config<A>) => Config.map(Config.option(config), Option.getOrUndefined)
const sessionToken: Config.Config<Redacted.Redacted | undefined> = optional(Config.Redacted("AWS_SESSION_TOKEN"))

/** The variables have the names that other S3 clients know. */
export const AccessConfig: Config.Config<S3Access> = Config.all({
  endpoint,
  region: Config.NonEmptyString("S3_REGION").pipe(
    Config.orElse(() => Config.NonEmptyString("AWS_REGION")),
    Config.withDefault("us-east-1")
  ),
  style: optional(Config.Boolean("S3_PATH_STYLE")),
  keyId: Config.NonEmptyString("AWS_ACCESS_KEY_ID"),
  secret: Config.Redacted("AWS_SECRET_ACCESS_KEY"),
  sessionToken,
  timeout: duration("S3_TIMEOUT").pipe(Config.withDefault(Duration.seconds(30)))
}).pipe(
  Config.map(({ endpoint, keyId, region, secret, sessionToken, style, timeout }) => ({
    endpoint,
    region,
    pathStyle: style ?? endpoint !== undefined,
    credentials: { keyId, secret, sessionToken },
    timeout
  }))
)

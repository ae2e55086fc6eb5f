import { Config, type Duration, Effect, Layer, Result, Schema, Stream } from "effect"
import { failure } from "../../domain/Failure.ts"
import { TenantId } from "../../domain/Ids.ts"
import { SourceRefused, SourceUnavailable } from "../../services/Sources.ts"
import { BlobsPlaceConfig } from "../blobs/s3/BlobsConfig.ts"
import { type Bucket, layerHttp, makeBucket } from "./Bucket.ts"
import type { S3Failed, S3NotFound } from "./S3Error.ts"
import { AccessConfig, isPlainKey, parsePlace, type S3Access, type S3Place } from "./S3Settings.ts"

// PDFs that a caller names as `s3://bucket/key`. A tenant reads only what S3_SOURCE_BUCKETS lets it: all of it is read with the
// one key of this service, so nothing else would keep tenants apart.

/** A place that tenants may read from. */
export interface SourcePlace {
  /** The only tenant that may; every tenant when absent. */
  readonly tenant: TenantId | undefined
  /** `{tenant}` in its prefix stands for the id of the tenant that reads. */
  readonly place: S3Place
}

export interface S3SourceSettings {
  readonly access: S3Access
  readonly allowed: ReadonlyArray<SourcePlace>
  /** Holds the originals of all tenants, so it is never a source. */
  readonly originals: S3Place | undefined
}

const isTenantId = Schema.is(TenantId)
const expected = "a list such as s3://bucket/prefix, s3://bucket/{tenant}, acme=s3://bucket"

const parseEntry = (text: string): SourcePlace | undefined => {
  const [, name, url = ""] = /^(?:([^=]*)=)?(.*)$/s.exec(text.trim()) ?? []
  const place = parsePlace(url)
  if (Result.isFailure(place)) return undefined
  if (name === undefined) return { tenant: undefined, place: place.success }
  return isTenantId(name) ? { tenant: name, place: place.success } : undefined
}

const parseEntries = (text: string) =>
  text
    .split(",")
    .filter((entry) => entry.trim() !== "")
    .map(parseEntry)

const allowedConfig = Config.schema(
  Schema.String.check(
    Schema.makeFilter((text: string) => parseEntries(text).every((entry) => entry !== undefined) || expected)
  ),
  "S3_SOURCE_BUCKETS"
).pipe(
  Config.withDefault(""),
  Config.map((text) => parseEntries(text).filter((entry) => entry !== undefined))
)

/** Undefined if no bucket is a source. The server and the key are the same as those of `BLOBS`. */
export const S3SourcesConfig: Config.Config<S3SourceSettings | undefined> = Config.flatMap(
  Config.all({ allowed: allowedConfig, originals: BlobsPlaceConfig }),
  ({ allowed, originals }): Config.Config<S3SourceSettings | undefined> =>
    allowed.length === 0
      ? Config.succeed(undefined)
      : Config.map(AccessConfig, (access) => ({ access, allowed, originals }))
)

const isBelow = ({ bucket, prefix }: S3Place, object: S3Object) =>
  bucket === object.bucket && (prefix === "" || object.key.startsWith(`${prefix}/`))

const mayRead = ({ allowed, originals }: S3SourceSettings, tenant: TenantId, object: S3Object) =>
  !(originals !== undefined && isBelow(originals, object)) &&
  allowed.some(
    (entry) =>
      (entry.tenant === undefined || entry.tenant === tenant) &&
      isBelow({ ...entry.place, prefix: entry.place.prefix.replaceAll("{tenant}", tenant) }, object)
  )

interface S3Object {
  readonly bucket: string
  readonly key: string
}

export const isS3Url = (text: string) => /^\s*s3:/i.test(text)

/** The key stands as it is, without percent-encoding, as other S3 clients have it. */
const parseObject = (text: string): S3Object | undefined => {
  const place = parsePlace(text)
  if (Result.isFailure(place) || text.trim().endsWith("/") || !isPlainKey(place.success.prefix)) return undefined
  return { bucket: place.success.bucket, key: place.success.prefix }
}

const refused = (message: string) => new SourceRefused({ failure: failure("SOURCE_REFUSED", message) })
const unavailable = (message: string, retryable: boolean) =>
  new SourceUnavailable({ failure: failure("SOURCE_UNAVAILABLE", message), retryable })

const fromS3 = (error: S3Failed | S3NotFound) => {
  if (error._tag === "S3NotFound") return unavailable("there is no such object in the bucket", false)
  return error.isPassing
    ? unavailable(`the bucket could not be read (${error.reason})`, true)
    : unavailable(`this service may not read the bucket (${error.reason}); its log says more`, false)
}

const noneAllowed = refused("objects in buckets are not read here: none are allowed (S3_SOURCE_BUCKETS)")

export interface S3Sources {
  /** Touches no network. */
  readonly resolve: (
    text: string,
    tenant: TenantId
  ) => Effect.Effect<{ readonly url: string; readonly name: string }, SourceRefused>
  /** Whether the tenant may read the object is checked again: settings may have changed since it was submitted. */
  readonly fetch: (text: string, tenant: TenantId) => Stream.Stream<Uint8Array, SourceRefused | SourceUnavailable>
}

/** `bucketOf` gives the calls of a bucket. */
export const makeS3Sources = (
  settings: S3SourceSettings,
  bucketOf: (name: string) => Effect.Effect<Bucket>,
  timeout: Duration.Input
): S3Sources => {
  const find = Effect.fnUntraced(function* (text: string, tenant: TenantId) {
    const object = parseObject(text)
    if (object === undefined) return yield* refused("an object is named s3://bucket/key, with a key of plain segments")
    if (!mayRead(settings, tenant, object))
      return yield* refused(`tenant ${tenant} may not read this object; S3_SOURCE_BUCKETS says what it may read`)
    return object
  })

  const openObject = Effect.fnUntraced(function* (text: string, tenant: TenantId) {
    const { bucket: name, key } = yield* find(text, tenant)
    const bucket = yield* bucketOf(name)
    const { bytes } = yield* bucket.open(key).pipe(
      Effect.tapError((error) => Effect.logInfo(`a source could not be read: ${error.message}`)),
      Effect.mapError(fromS3)
    )
    return Stream.mapError(bytes, fromS3)
  })

  return {
    resolve: (text, tenant) =>
      Effect.map(find(text, tenant), ({ bucket, key }) => ({
        url: `s3://${bucket}/${key}`,
        name: key.slice(key.lastIndexOf("/") + 1)
      })),
    fetch: (text, tenant) =>
      Stream.unwrap(openObject(text, tenant)).pipe(
        Stream.interruptWhen(
          Effect.andThen(Effect.sleep(timeout), Effect.fail(unavailable("the object did not arrive in time", true)))
        ),
        Stream.withSpan("Sources.fetch")
      )
  }
}

/** Refuses every object. */
export const noSources: S3Sources = {
  resolve: () => Effect.fail(noneAllowed),
  fetch: () => Stream.fail(noneAllowed)
}

/** As the environment says. Connections last as long as the scope. */
export const s3SourcesFromEnv = Effect.fnUntraced(function* (timeout: Duration.Input) {
  const settings = yield* S3SourcesConfig
  if (settings === undefined) return undefined
  const http = yield* Layer.build(layerHttp)
  return makeS3Sources(settings, (name) => Effect.provide(makeBucket(settings.access, name, "once"), http), timeout)
})

import { isAbsolute } from "node:path"
import { ByteSize, Config, Result, Schema } from "effect"
import { byteSize } from "../../../services/config/ConfigValues.ts"
import { AccessConfig, parsePlace, placeForm, type S3Access, type S3Place } from "../../s3/S3Settings.ts"

/** Where originals are kept, if it is not the data folder. */
export type BlobsSettings =
  | {
      readonly _tag: "Bucket"
      readonly place: S3Place
      readonly access: S3Access
      readonly cacheBytes: number
    }
  /** A folder that several processes may share. */
  | { readonly _tag: "Folder"; readonly folder: string }

const isBlobs = Schema.makeFilter(
  (text: string) =>
    text === "" ||
    isAbsolute(text) ||
    Result.isSuccess(parsePlace(text)) ||
    `${placeForm}, or the absolute path of a folder`
)

const blobs = Config.schema(Schema.String.check(isBlobs), "BLOBS").pipe(Config.withDefault(""))

/** The bucket for originals; undefined without one. */
export const BlobsPlaceConfig: Config.Config<S3Place | undefined> = Config.map(blobs, (text) =>
  Result.getOrUndefined(parsePlace(text))
)

const cacheSize = byteSize("BLOB_CACHE_SIZE").pipe(Config.withDefault(ByteSize.gibibytes(4)))

const bucketConfig = (place: S3Place): Config.Config<BlobsSettings> =>
  Config.map(Config.all({ access: AccessConfig, cache: cacheSize }), ({ access, cache }) => ({
    _tag: "Bucket",
    place,
    access,
    cacheBytes: ByteSize.toNumberUnsafe(cache)
  }))

/** Undefined if originals are kept in the data folder. Keys are needed only for a bucket. */
export const BlobsConfig: Config.Config<BlobsSettings | undefined> = Config.flatMap(
  blobs,
  (text): Config.Config<BlobsSettings | undefined> => {
    if (text === "") return Config.succeed(undefined)
    const place = Result.getOrUndefined(parsePlace(text))
    return place === undefined ? Config.succeed({ _tag: "Folder", folder: text }) : bucketConfig(place)
  }
)

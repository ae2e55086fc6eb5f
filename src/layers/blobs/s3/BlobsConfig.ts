import { ByteSize, Config } from "effect"
import { byteSize } from "../../../services/config/ConfigValues.ts"
import { AccessConfig, placeOrNoneConfig, type S3Access, type S3Place } from "../../s3/S3Settings.ts"

export interface BucketSettings {
  readonly place: S3Place
  readonly access: S3Access
  readonly cacheBytes: number
}

const cacheSize = byteSize("BLOB_CACHE_SIZE").pipe(Config.withDefault(ByteSize.gibibytes(4)))

/** The bucket for originals, or undefined if they are kept in the data folder. Its keys are needed only if there is one. */
export const BlobsConfig: Config.Config<BucketSettings | undefined> = Config.flatMap(
  placeOrNoneConfig("BLOBS"),
  (place): Config.Config<BucketSettings | undefined> =>
    place === undefined
      ? Config.succeed(undefined)
      : Config.map(Config.all({ access: AccessConfig, cache: cacheSize }), ({ access, cache }) => ({
          place,
          access,
          cacheBytes: ByteSize.toNumberUnsafe(cache)
        }))
)

/**
 * Everything durable of a server with `DATABASE_URL`: documents, keys and limits in Postgres; originals and the key that seals
 * passwords in a folder, which several machines share. `BLOBS` keeps the originals elsewhere, and `SECRET_KEY` the key.
 */
import { join } from "node:path"
import { Effect, Layer, type Redacted } from "effect"
import { SecureRandom } from "effect/crypto"
import { originalsFromEnv } from "../blobs/Originals.ts"
import { BlobsConfig } from "../blobs/s3/BlobsConfig.ts"
import { StorageConfig } from "../config/Config.ts"
import { SecretKeyConfig } from "../config/SecretKeyConfig.ts"
import { placeText } from "../s3/S3Settings.ts"
import * as Secrets from "../SecretKeyFile.ts"
import * as Connection from "./database/Connection.ts"
import * as PostgresApiKeys from "./PostgresApiKeys.ts"
import * as PostgresBlobStore from "./PostgresBlobStore.ts"
import * as PostgresStore from "./PostgresStore.ts"
import * as PostgresTenantRegistry from "./PostgresTenantRegistry.ts"
import { refuseBesideCluster } from "./storage/BesideCluster.ts"
import { register } from "./storage/KnownBlobs.ts"
import * as PostgresStorageHealth from "./storage/PostgresStorageHealth.ts"
import { refuseUnfinishedMove } from "./storage/FolderMove.ts"
import { keyRecord, replacingRecord } from "./storage/SealingKey.ts"
import { adoptPlace, claimBucket, claimFolder, prepareFolder } from "./storage/SharedFolder.ts"

/**
 * Where originals are is compared with what the database says before anything is written. The data folder is shared by all
 * machines if it has the originals in it; else it is a cache, and each machine may have its own, with the same key.
 */
export const claimPlace = Effect.fnUntraced(function* (directory: string) {
  yield* prepareFolder(directory)
  const blobs = yield* BlobsConfig
  if (blobs?._tag === "Bucket") return yield* claimBucket(directory, placeText(blobs.place))
  return yield* claimFolder(blobs?.folder ?? directory)
})

const records = (directory: string, clustered: boolean) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const given = yield* SecretKeyConfig
      if (!clustered) yield* refuseBesideCluster
      yield* refuseUnfinishedMove
      yield* claimPlace(directory)
      const originals = yield* originalsFromEnv(directory)
      return Layer.mergeAll(
        PostgresTenantRegistry.layerNoDepsFromEnv,
        PostgresApiKeys.layerNoDepsFromEnv,
        PostgresStore.layerNoDeps,
        PostgresStorageHealth.layer(originals.folder ?? directory, originals.tryBucket),
        Layer.provide(PostgresBlobStore.layerNoDeps, originals.layer(yield* register)),
        Secrets.layer({ directory, given, record: yield* keyRecord })
      )
    })
  )

export const layer = (database: {
  readonly url: Redacted.Redacted
  readonly connections: number
  /** Whether this process shares the tenants with others. */
  readonly clustered: boolean
}) =>
  Layer.unwrap(Effect.map(StorageConfig, ({ directory }) => records(directory, database.clustered))).pipe(
    Layer.provide(Connection.layer(database)),
    Layer.provide(SecureRandom.layerWebCrypto)
  )

/**
 * Makes the present place of originals and the present key the database's own. Removes nothing: with the earlier place or key
 * they can be made its own again.
 */
export const adopt = (database: { readonly url: Redacted.Redacted; readonly connections: number }) =>
  Effect.gen(function* () {
    const { directory } = yield* StorageConfig
    const given = yield* SecretKeyConfig
    const blobs = yield* BlobsConfig
    const bucket = blobs?._tag === "Bucket" ? placeText(blobs.place) : undefined
    const folder = blobs?._tag === "Folder" ? blobs.folder : directory
    yield* prepareFolder(directory)
    yield* adoptPlace(folder, bucket)
    yield* Layer.build(Secrets.layer({ directory, given, record: yield* replacingRecord }))
    return { originals: bucket ?? folder, key: given?.place ?? join(directory, "secret.key") }
  }).pipe(Effect.provide([Connection.layer(database), SecureRandom.layerWebCrypto]), Effect.scoped)

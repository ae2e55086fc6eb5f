/**
 * Everything durable of a server with `DATABASE_URL`: documents, keys and limits in Postgres; originals and the key that seals
 * passwords in a folder, which several machines share. `BLOBS` keeps the originals elsewhere.
 */
import { Effect, Layer, type Redacted } from "effect"
import { SecureRandom } from "effect/crypto"
import { originalsFromEnv } from "../blobs/Originals.ts"
import { StorageConfig } from "../config/Config.ts"
import * as Secrets from "../SecretKeyFile.ts"
import * as Connection from "./database/Connection.ts"
import * as PostgresApiKeys from "./PostgresApiKeys.ts"
import * as PostgresStore from "./PostgresStore.ts"
import * as PostgresTenantRegistry from "./PostgresTenantRegistry.ts"
import { refuseBesideCluster } from "./storage/BesideCluster.ts"
import { register } from "./storage/KnownBlobs.ts"
import * as PostgresStorageHealth from "./storage/PostgresStorageHealth.ts"
import { claimFolder } from "./storage/SharedFolder.ts"

/** The folder is compared with the database before anything is written to it. */
const records = (directory: string, clustered: boolean) =>
  Layer.unwrap(
    Effect.gen(function* () {
      if (!clustered) yield* refuseBesideCluster
      yield* claimFolder(directory)
      const originals = yield* originalsFromEnv(directory)
      return Layer.mergeAll(
        PostgresTenantRegistry.layerNoDepsFromEnv,
        PostgresApiKeys.layerNoDepsFromEnv,
        PostgresStore.layerNoDeps,
        PostgresStorageHealth.layer(originals.folder ?? directory, originals.tryBucket),
        originals.layer(yield* register),
        Secrets.layer({ directory })
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

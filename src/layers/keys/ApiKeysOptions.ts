import { Config, Duration } from "effect"
import { duration } from "../../services/config/ConfigValues.ts"

export interface ApiKeysOptions {
  /** How long a key is taken as valid before it is read again. */
  readonly cacheFor?: Duration.Input | undefined
}

export const defaultCacheFor = Duration.seconds(10)

/** `KEY_CACHE_TTL`. */
export const CacheFor = duration("KEY_CACHE_TTL").pipe(Config.withDefault(defaultCacheFor))

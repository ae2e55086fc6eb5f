import { ByteSize, Config, Context, Duration, Layer } from "effect"
import { byteSize, duration } from "../../services/config/ConfigValues.ts"

const defaults = {
  perTenant: ByteSize.mebibytes(64),
  total: ByteSize.mebibytes(256),
  stalledAfter: Duration.minutes(1)
}

export interface UnsentSettings {
  /** Limits for the answers of one tenant, and for all answers. */
  readonly perTenant: ByteSize.ByteSize
  readonly total: ByteSize.ByteSize
  /** A connection whose client receives nothing of its answer for so long is cut. */
  readonly stalledAfter: Duration.Duration
}

/** Limits on the memory for answers that clients have not read yet. */
export const UnsentLimits = Context.Reference<UnsentSettings>("sluice/http/answers/UnsentLimits", {
  defaultValue: () => defaults
})

/** `PER_TENANT_UNSENT_BYTES`, `MAX_UNSENT_BYTES` and `ANSWER_STALL_TIMEOUT`. */
export const UnsentConfig = Config.all({
  perTenant: byteSize("PER_TENANT_UNSENT_BYTES").pipe(Config.withDefault(defaults.perTenant)),
  total: byteSize("MAX_UNSENT_BYTES").pipe(Config.withDefault(defaults.total)),
  stalledAfter: duration("ANSWER_STALL_TIMEOUT").pipe(Config.withDefault(defaults.stalledAfter))
})

/** The limits from the environment. */
export const unsentLimitsFromEnv = Layer.effect(UnsentLimits, UnsentConfig)

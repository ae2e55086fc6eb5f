import { Effect } from "effect"
import { SecureRandom } from "effect/crypto"
import { layerLogs } from "../../layers/observability/Telemetry.ts"
import { superviseRunners } from "./Supervisor.ts"

/** The runners of this machine, with the log of their supervisor. */
export const supervision = (runners: number | "auto", more: Readonly<Record<string, string>>) =>
  superviseRunners(runners, more).pipe(Effect.provide([layerLogs, SecureRandom.layerWebCrypto]))

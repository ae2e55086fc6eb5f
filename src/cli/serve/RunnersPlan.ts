/** How the processors of one machine are divided among runners, and the settings of each. */
import { Config, Redacted } from "effect"
import { count } from "../../services/config/ConfigValues.ts"

/**
 * One event loop takes about 0.2 ms of processor time for a page of a large file and 0.8 ms for one of small files, a worker 1 to
 * 2 ms: with more than four processors to a runner, small files leave some of them without work.
 */
const processorsPerRunner = 4

/** Of the database's own limit, which is 100 unless it was raised, for all runners of the machine. */
const connectionsInAll = 64

export const runnersFor = (wanted: number | "auto", processors: number): number =>
  wanted === "auto" ? Math.max(1, Math.floor(processors / processorsPerRunner)) : wanted

/** What is set for the machine as a whole. */
export const MachineConfig = Config.all({
  httpPort: Config.Port("PORT").pipe(Config.withDefault(3000)),
  host: Config.NonEmptyString("CLUSTER_HOST").pipe(Config.withDefault("127.0.0.1")),
  port: Config.Port("CLUSTER_PORT").pipe(Config.withDefault(34_431)),
  token: Config.Redacted("CLUSTER_TOKEN").pipe(Config.withDefault(undefined)),
  tokenFile: Config.NonEmptyString("CLUSTER_TOKEN_FILE").pipe(Config.withDefault(undefined)),
  workers: count("PAGE_WORKERS", 256).pipe(Config.withDefault(undefined)),
  connections: count("DATABASE_CONNECTIONS", 1_000).pipe(Config.withDefault(undefined)),
  logFormat: Config.NonEmptyString("LOG_FORMAT").pipe(Config.withDefault(undefined))
})
export type MachineSettings = Config.Success<typeof MachineConfig>

/** So many parts of a whole, as equal as can be; none is empty. */
export const parts = (whole: number, count: number): ReadonlyArray<number> =>
  Array.from({ length: count }, (_, index) => Math.max(1, Math.floor(whole / count) + (index < whole % count ? 1 : 0)))

/** The variables of each runner, besides those of this process. */
export const planRunners = (
  count: number,
  settings: MachineSettings,
  machine: { readonly processors: number; readonly freshToken: string; readonly onTerminal: boolean }
): ReadonlyArray<Readonly<Record<string, string>>> => {
  const { connections, host, logFormat, port, token, tokenFile, workers } = settings
  const secret = token === undefined ? machine.freshToken : Redacted.value(token)
  const perRunner = connections ?? Math.max(6, Math.floor(connectionsInAll / count))
  return parts(workers ?? machine.processors, count).map((own, index) => ({
    CLUSTER: "on",
    CLUSTER_HOST: host,
    CLUSTER_PORT: String(port + index),
    ...(tokenFile === undefined && { CLUSTER_TOKEN: secret }),
    PAGE_WORKERS: String(own),
    DATABASE_CONNECTIONS: String(perRunner),
    HTTP_REUSE_PORT: "on",
    SUPERVISED: "on",
    ...(logFormat === undefined && { LOG_FORMAT: machine.onTerminal ? "pretty" : "json" })
  }))
}

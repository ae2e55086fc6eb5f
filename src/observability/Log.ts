import { Effect, LogLevel } from "effect"

/** Logs a line with its attributes. Where the level is off neither is made, which counts on paths that everything takes. */
export const line = (
  level: "Debug" | "Info",
  message: string,
  attributes: () => Record<string, unknown>
): Effect.Effect<void> =>
  Effect.flatMap(LogLevel.isEnabled(level), (enabled) =>
    enabled ? Effect.annotateLogs(Effect.logWithLevel(level)(message), attributes()) : Effect.void
  )

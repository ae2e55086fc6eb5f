import { Effect, LogLevel } from "effect"

/** Logs a line with its attributes. Builds neither if the level is off, which matters on paths that every request takes. */
export const line = (
  level: "Debug" | "Info",
  message: string,
  attributes: () => Record<string, unknown>
): Effect.Effect<void> =>
  Effect.flatMap(LogLevel.isEnabled(level), (enabled) =>
    enabled ? Effect.annotateLogs(Effect.logWithLevel(level)(message), attributes()) : Effect.void
  )

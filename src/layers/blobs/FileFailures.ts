// What a file-system call that fails becomes.
import { Effect } from "effect"
import { BlobStoreUnavailable } from "../../services/BlobStore.ts"

/** The store is unavailable, except for failures that say so already. */
export const failing = (operation: string) =>
  Effect.mapError((cause: unknown) =>
    cause instanceof BlobStoreUnavailable
      ? cause
      : new BlobStoreUnavailable({ operation: withCode(operation, cause), cause })
  )

export const withCode = (operation: string, cause: unknown) =>
  cause instanceof Error && "code" in cause ? `${operation} (${String(cause.code)})` : operation

/** Answers with this instead if the file is missing. */
export const unlessMissing =
  <B>(orElse: () => B) =>
  <A, R>(effect: Effect.Effect<A, NodeJS.ErrnoException, R>) =>
    Effect.catchIf(
      effect,
      (error) => error.code === "ENOENT",
      () => Effect.sync(orElse)
    )

/** One synchronous call. */
export const attempt = <A>(run: () => A) =>
  Effect.try({
    try: run,
    catch: (cause): NodeJS.ErrnoException =>
      cause instanceof Error ? cause : new Error("a file-system call failed", { cause })
  })

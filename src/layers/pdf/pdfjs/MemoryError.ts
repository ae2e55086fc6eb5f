// How a failed allocation is known. Apart from pdf.js itself: programs that load no pdf.js need it, too.
/** A text of what was thrown; empty if it has none. */
export const textOfError = (cause: unknown, key: "name" | "message" | "details"): string => {
  if (typeof cause !== "object" || cause === null) return ""
  const value: unknown = Reflect.get(cause, key)
  return typeof value === "string" ? value : ""
}

const memoryError =
  /allocation failed|out of memory|invalid (typed )?array (buffer )?length|invalid string length|cannot create a string longer/i

/** pdf.js wraps what it caught, so a failed allocation is known by its wording only. */
export const isMemoryError = (cause: unknown): boolean =>
  memoryError.test(textOfError(cause, "message")) || memoryError.test(textOfError(cause, "details"))

import { getSystemErrorMessage } from "node:util"
import { type PlatformError, Predicate } from "effect"

/** The error of the operating system with its code: `ENOSPC: no space left on device`. */
export const reasonOfSystem = ({ message, reason: { cause } }: PlatformError.PlatformError): string => {
  if (!Predicate.hasProperty(cause, "code")) return message
  const words =
    Predicate.hasProperty(cause, "errno") && typeof cause.errno === "number"
      ? getSystemErrorMessage(cause.errno)
      : undefined
  return `${String(cause.code)}: ${words ?? message}`
}

/** The same with the file that it concerns. */
export const systemErrorOf = (error: PlatformError.PlatformError): string => {
  const { reason } = error
  const path =
    "pathOrDescriptor" in reason && typeof reason.pathOrDescriptor === "string" ? reason.pathOrDescriptor : ""
  return path === "" ? reasonOfSystem(error) : `${path}: ${reasonOfSystem(error)}`
}

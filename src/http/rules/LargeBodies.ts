import type { Principal } from "../auth/Principal.ts"
import { TooManyRequests } from "../api/problems/Problems.ts"

/**
 * JSON bodies larger than a connection's own buffers are held in memory until their requests are answered. So their number is
 * limited, both in total and per caller, so that one caller leaves room for others.
 */
const mostOfOne = 8
const mostInAll = 32

/** Bytes up to which a body does not count. */
export const smallBody = 64 * 1024

const nameOf = (principal: Principal) => (principal._tag === "Tenant" ? `Tenant ${principal.id}` : principal._tag)

const tooMany = (limit: number) =>
  new TooManyRequests({
    code: "TOO_MANY_LARGE_BODIES",
    detail: `${limit} requests with large JSON bodies are under way`,
    advice: "Send fewer of them at once, or smaller ones.",
    limit,
    retryAfter: 1
  })

export const makeLargeBodies = () => {
  const held = new Map<string, number>()
  let all = 0

  return {
    /** Counts one more body of the caller, or returns the problem when the limit is reached. Each success needs a `leave`. */
    enter: (principal: Principal): TooManyRequests | undefined => {
      const name = nameOf(principal)
      const before = held.get(name) ?? 0
      if (before >= mostOfOne) return tooMany(mostOfOne)
      if (all >= mostInAll) return tooMany(mostInAll)
      held.set(name, before + 1)
      all++
      return undefined
    },
    leave: (principal: Principal): void => {
      const name = nameOf(principal)
      const left = (held.get(name) ?? 1) - 1
      if (left === 0) held.delete(name)
      else held.set(name, left)
      all--
    }
  }
}

import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as SemVer from "effect/SemVer"
import * as SemVerRange from "effect/SemVerRange"
import * as Version from "effect/Version"

/** The versions of effect that this is tested with; the same as in the package's peerDependencies. */
export const supportedEffect = ">=4.1.0 <4.2.0"

const range = SemVerRange.parseUnsafe(supportedEffect)

/** Says why this version of effect will not do, or nothing when it will. */
export const refusalOf = (version: string): string | undefined =>
  Result.getOrElse(
    Result.map(SemVer.parse(version), (parsed) => SemVerRange.matches(range, parsed)),
    () => false
  )
    ? undefined
    : `sluice works with effect ${supportedEffect}, but effect ${version} was loaded. ` +
      "Install a version in that range; `npm ls effect` shows which package brings which."

/** Throws when the effect that was loaded is none of those that this was tested with, as after an install by force. */
export const requireSupportedEffect = (): void => {
  const refusal = refusalOf(Version.getCurrentVersion())
  if (refusal !== undefined) throw new Error(refusal)
}

/**
 * Dies when the program runs on another copy of effect than this package. Fibers, services and errors of two copies look the
 * same and are not, so it would fail later, and without saying why.
 */
export const requireOneEffect: Effect.Effect<void> = Effect.withFiber((fiber) =>
  fiber.constructor === Effect.runFork(Effect.void).constructor
    ? Effect.void
    : Effect.die(
        new Error(
          `sluice and the program that uses it loaded two copies of effect; the one of sluice is ${Version.getCurrentVersion()}. ` +
            "Have one installed: `npm ls effect` shows where they come from, `npm dedupe` may be all it takes."
        )
      )
)

requireSupportedEffect()

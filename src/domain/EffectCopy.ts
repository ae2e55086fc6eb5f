import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as SemVer from "effect/SemVer"
import * as SemVerRange from "effect/SemVerRange"
import * as Version from "effect/Version"

/** The versions of effect that this package is tested with; the same as in its peerDependencies. */
export const supportedEffect = ">=4.1.0 <4.2.0"

const range = SemVerRange.parseUnsafe(supportedEffect)

/** The reason why this version of effect is not supported, or undefined if it is. */
export const refusalOf = (version: string): string | undefined =>
  Result.getOrElse(
    Result.map(SemVer.parse(version), (parsed) => SemVerRange.matches(range, parsed)),
    () => false
  )
    ? undefined
    : `sluice works with effect ${supportedEffect}, but effect ${version} was loaded. ` +
      "Install a version in that range; `npm ls effect` shows which package brings which."

/** Throws when an unsupported version of effect was loaded, as after a forced install. */
export const requireSupportedEffect = (): void => {
  const refusal = refusalOf(Version.getCurrentVersion())
  if (refusal !== undefined) throw new Error(refusal)
}

/**
 * Dies when the program runs on another copy of effect than this package. Fibers, services and errors of two copies look the
 * same but are incompatible, so the program would fail later for no apparent reason.
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

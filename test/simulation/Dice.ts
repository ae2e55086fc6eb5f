import type { Layer as LayerType } from "effect"
import { Layer } from "effect"
import { SecureRandom } from "effect/crypto"

/** Seeded random numbers (mulberry32). Each concern takes dice of its own, so a throw in one never shifts another. */
export class Dice {
  #state: number

  constructor(seed: string) {
    let state = 0x811c9dc5
    for (const char of seed) state = Math.imul(state ^ (char.codePointAt(0) ?? 0), 0x01000193)
    this.#state = state >>> 0
    for (let warmUp = 0; warmUp < 4; warmUp++) this.next()
  }

  /** From 0, inclusive, to 1, exclusive. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }

  /** A whole number, both bounds included. */
  int(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1))
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<A>(choices: readonly [A, ...ReadonlyArray<A>]): A {
    return choices[this.int(0, choices.length - 1)] ?? choices[0]
  }

  /** Between the bounds with most of the weight near the lower one: the orders of magnitude are equally likely. */
  skewed(from: number, to: number): number {
    return Math.round(from * (to / from) ** this.next())
  }
}

/** Ids that follow from the seed. */
export const layerSecureRandom = (seed: string): LayerType.Layer<SecureRandom.SecureRandom> =>
  Layer.sync(SecureRandom.SecureRandom, () => {
    const dice = new Dice(`secure random ${seed}`)
    return SecureRandom.make((size) => Uint8Array.from({ length: size }, () => dice.int(0, 255)))
  })

import { Clock, Effect } from "effect"
import type { TenantId } from "../../src/domain/Ids.ts"
import { Dice } from "./Dice.ts"
import type { StoreOperation } from "./Scenario.ts"

interface Window<A> {
  readonly until: number
  readonly what: A
}

/** The faults in force at the moment. The services of the simulated world ask here before they do anything. */
export class Trouble {
  readonly #dice: Dice
  readonly #storeDown: Array<Window<StoreOperation>> = []
  #storeErrors: Window<number> = { until: 0, what: 0 }
  #storeSlow: Window<{ readonly before: number; readonly after: number }> = { until: 0, what: { before: 0, after: 0 } }
  #blobsDownUntil = 0
  #engineDownUntil = 0
  #farDownUntil = 0
  /** Workers that die, or hang, on the next page that is begun. */
  readonly workerFaults: Array<"dies" | "dies of memory" | "hangs"> = []
  /** Tenants whose actor meets a defect the next time it asks for its limits. */
  readonly tenantCrashes = new Set<TenantId>()
  /** When the last window of faults closes. */
  calmFrom = 0

  constructor(seed: string) {
    this.#dice = new Dice(`trouble ${seed}`)
  }

  storeDown(operation: StoreOperation, until: number): void {
    this.#storeDown.push({ until, what: operation })
    this.#lasts(until)
  }

  storeErrors(share: number, until: number): void {
    this.#storeErrors = { until, what: share }
    this.#lasts(until)
  }

  storeSlow(before: number, after: number, until: number): void {
    this.#storeSlow = { until, what: { before, after } }
    this.#lasts(until + before + after)
  }

  blobsDown(until: number): void {
    this.#blobsDownUntil = until
    this.#lasts(until)
  }

  farDown(until: number): void {
    this.#farDownUntil = until
    this.#lasts(until)
  }

  engineDown(until: number): void {
    this.#engineDownUntil = until
    this.#lasts(until)
  }

  storeFails(operation: string, now: number): boolean {
    if (this.#storeDown.some(({ until, what }) => now < until && (what === "all" || what === operation))) return true
    return now < this.#storeErrors.until && this.#dice.chance(this.#storeErrors.what)
  }

  readonly waitBefore = this.#wait(() => this.#storeSlow.what.before)
  readonly waitAfter = this.#wait(() => this.#storeSlow.what.after)

  blobsFail(now: number): boolean {
    return now < this.#blobsDownUntil
  }

  farSideFails(now: number): boolean {
    return now < this.#farDownUntil
  }

  engineFails(now: number): boolean {
    return now < this.#engineDownUntil
  }

  #wait(most: () => number) {
    return Effect.flatMap(Clock.currentTimeMillis, (now) =>
      now < this.#storeSlow.until ? Effect.sleep(this.#dice.int(0, most())) : Effect.void
    )
  }

  #lasts(until: number): void {
    this.calmFrom = Math.max(this.calmFrom, until)
  }
}

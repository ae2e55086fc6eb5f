import { it } from "@effect/vitest"
import { Context, type Duration, Effect, type Fiber, type Scope } from "effect"
import { TestClock } from "effect/testing"
import type { ApiKeys } from "../../../src/services/apiKeys/ApiKeys.ts"
import { TenantRegistry } from "../../../src/services/TenantRegistry.ts"
import { onRealClock } from "../../support/clock.ts"
import { type Stores } from "../../support/store.ts"
import { newDocument, plenty } from "../storeFixtures.ts"
import type { NewDocument } from "../../../src/services/store/NewDocument.ts"
import { DocumentQueue } from "../../../src/services/store/DocumentQueue.ts"

/** What one process has of its own over the truth that it shares. */
export type Instance = Context.Context<Stores | TenantRegistry | ApiKeys>

/** Two instances over one store that is empty. */
export type MakeTwo = Effect.Effect<readonly [Instance, Instance], unknown, Scope.Scope>

/** How long an instance may take a key as valid that the other has revoked. */
export const keyCache = "10 seconds"

export type Test = <E>(
  title: string,
  body: (one: Instance, other: Instance) => Effect.Effect<void, E, Scope.Scope>
) => void

export const testOf =
  (make: MakeTwo): Test =>
  (title, body) => {
    it.effect(title, () => Effect.flatMap(make, ([one, other]) => body(one, other)))
  }

export const accept = (instance: Instance, number: number, changes: Partial<NewDocument> = {}) =>
  Context.get(instance, DocumentQueue).accept(newDocument(number, changes), plenty)

export const registryOf = (instance: Instance) => Context.get(instance, TenantRegistry)

/** Lets the test's time pass in such steps until the fiber has ended, while a disk or a server takes real time for its answers. */
export const untilDone = Effect.fnUntraced(function* (
  fiber: Fiber.Fiber<unknown, unknown>,
  step: Duration.Input = "25 millis"
) {
  while (fiber.pollUnsafe() === undefined) {
    yield* TestClock.adjust(step)
    yield* onRealClock(Effect.sleep("2 millis"))
  }
})

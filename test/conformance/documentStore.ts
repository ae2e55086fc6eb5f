import { describe, it } from "@effect/vitest"
import { Effect, type Layer } from "effect"
import { changes } from "./documentStoreChanges.ts"
import { counters } from "./documentStoreCounters.ts"
import type { Test } from "./documentStoreFixtures.ts"
import { duplicates, retention, retries, troubles } from "./documentStoreLifecycle.ts"
import { portions } from "./documentStorePortions.ts"
import { queue } from "./documentStoreQueue.ts"
import { records } from "./documentStoreRecords.ts"
import { runs } from "./documentStoreRuns.ts"
import { warnings } from "./documentStoreWarnings.ts"
import type { Stores } from "../support/store.ts"
import { webhooks } from "./webhooks.ts"

/** What every document store promises. `layer` gives an empty store each time it is built. */
export const documentStoreConformance = (name: string, layer: Layer.Layer<Stores, unknown>) =>
  describe(name, () => {
    const test: Test = (title, body) => it.effect(title, () => Effect.provide(body, layer))
    describe("as a queue", () => queue(test))
    describe("while documents run", () => runs(test))
    describe("of what may be missing, it", () => warnings(test))
    describe("as a record", () => records(test))
    describe("when the same bytes come again, they", () => duplicates(test))
    describe("for retries, which", () => retries(test))
    describe("when things go wrong", () => troubles(test))
    describe("over time", () => retention(test))
    describe("for those who are told of ends", () => webhooks(test))
    describe("when counting", () => counters(test))
    describe("however large documents are", () => portions(test))
    describe("as a log of changes, which", () => changes(test))
  })

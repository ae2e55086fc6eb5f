import { describe, it } from "@effect/vitest"
import { Effect, type Layer } from "effect"
import { artifacts } from "./artifacts.ts"
import { changes } from "./changeLog.ts"
import { counters } from "./queueStats.ts"
import type { Test } from "./storeFixtures.ts"
import { duplicates, retention, retries, troubles } from "./documentsLifecycle.ts"
import { portions } from "./storePortions.ts"
import { queue } from "./documentQueue.ts"
import { records } from "./documents.ts"
import { runs } from "./documentQueueRuns.ts"
import { warnings } from "./storeWarnings.ts"
import type { Stores } from "../support/store.ts"
import { webhooks } from "./webhookStore.ts"

/** What every document store promises. `layer` gives an empty store each time it is built. */
export const storeConformance = (name: string, layer: Layer.Layer<Stores, unknown>) =>
  describe(name, () => {
    const test: Test = (title, body) => it.effect(title, () => Effect.provide(body, layer))
    describe("as a queue", () => queue(test))
    describe("while documents run", () => runs(test))
    describe("of what may be missing, it", () => warnings(test))
    describe("of pipelines and what their stages make, they", () => artifacts(test))
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

import { describe } from "@effect/vitest"
import { blobs } from "./blobs.ts"
import { callbacks } from "./callbacks.ts"
import { type MakeTwo, testOf } from "./fixtures.ts"
import { queue } from "./queue.ts"
import { tenants } from "./tenants.ts"

/** What two processes over one store promise together. `make` gives two instances over an empty store. */
export const twoInstancesConformance = (name: string, make: MakeTwo) =>
  describe(name, () => {
    const test = testOf(make)
    describe("as a queue, they", () => queue(test))
    describe("for bytes, they", () => blobs(test))
    describe("for callbacks, they", () => callbacks(test))
    describe("for tenants, they", () => tenants(test))
  })

import { defineConfig } from "vitest/config"
import { LongestFirst } from "./test/support/sequence.ts"

// Ends what hangs, and nothing else: a machine with other work may take many times as long as a quiet one.
const hangMillis = 300_000

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: "test/support/postgres/setup.ts",
    setupFiles: "test/support/compileCache.ts",
    testTimeout: hangMillis,
    hookTimeout: hangMillis,
    teardownTimeout: hangMillis,
    // Many tests wait for processes of their own and not for a processor.
    maxWorkers: "100%",
    sequence: { sequencer: LongestFirst },
    // What tests print is shown of those that fail.
    silent: "passed-only"
  }
})

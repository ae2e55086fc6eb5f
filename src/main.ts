#!/usr/bin/env node
import { enableCompileCache } from "node:module"
import { join } from "node:path"

// Node's compile cache is kept beside the code, where only users who may write the code can write; without write access, every
// start compiles again. This must run before anything else is loaded.
enableCompileCache(join(import.meta.dirname, "../node_modules/.cache/sluice"))
await import("./cli/Main.ts")

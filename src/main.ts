#!/usr/bin/env node
import { enableCompileCache } from "node:module"
import { join } from "node:path"

// What Node has compiled is kept beside the code, where only those may write who may write the code; where this process may
// not, every start compiles anew. So it has to come before everything else is loaded.
enableCompileCache(join(import.meta.dirname, "../node_modules/.cache/sluice"))
await import("./cli/Main.ts")

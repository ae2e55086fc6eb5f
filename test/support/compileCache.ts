// Page workers take compiled code from the cache of the process that starts them, as those of a server do.
import { enableCompileCache } from "node:module"
import { join } from "node:path"

enableCompileCache(join(import.meta.dirname, "../../node_modules/.cache/sluice-tests"))

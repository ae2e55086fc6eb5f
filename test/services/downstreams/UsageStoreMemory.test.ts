import { Layer } from "effect"
import { UsageStore } from "../../../src/services/downstreams/UsageStore.ts"
import { usageMemory } from "../../../src/services/downstreams/UsageStoreMemory.ts"
import { usageStoreConformance } from "../../conformance/usageStore.ts"

usageStoreConformance("The usage in memory", Layer.fresh(Layer.sync(UsageStore, usageMemory)))

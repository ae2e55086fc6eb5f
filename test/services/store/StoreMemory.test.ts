import { layerMemory } from "../../../src/services/store/memory/StoreMemory.ts"
import { storeConformance } from "../../conformance/store.ts"

storeConformance("The document store in memory", layerMemory)

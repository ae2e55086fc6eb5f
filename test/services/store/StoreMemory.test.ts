import { layerMemory } from "../../../src/services/store/memory/StoreMemory.ts"
import { documentStoreConformance } from "../../conformance/documentStore.ts"

documentStoreConformance("The document store in memory", layerMemory)

import { layerMemory } from "../../../src/services/store/memory/DocumentStoreMemory.ts"
import { documentStoreConformance } from "../../conformance/documentStore.ts"

documentStoreConformance("The document store in memory", layerMemory)

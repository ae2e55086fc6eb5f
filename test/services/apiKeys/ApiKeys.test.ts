import { layerMemory } from "../../../src/services/apiKeys/ApiKeysMemory.ts"
import { apiKeysConformance } from "../../conformance/apiKeys.ts"

apiKeysConformance("API keys in memory", layerMemory)

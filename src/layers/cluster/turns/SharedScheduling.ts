/**
 * One scheduling for all runners: turns of all their workers, given by shares over all. The number of open documents
 * (`GLOBAL_PDF_CONCURRENCY`) is each runner's own; which tenants have them follows the shares over all.
 */
import { Layer } from "effect"
import * as Engine from "../../../actors/Engine.ts"
import { GlobalGate } from "../../../actors/gates/GlobalGate.ts"
import { FairShares } from "../../../actors/scheduling/FairShares.ts"
import { OpenPlaces } from "../../../actors/turns/OpenPlaces.ts"
import * as PooledPdfEngine from "../../../actors/turns/PooledPdfEngine.ts"
import * as SharedTurns from "../../../actors/turns/SharedTurns.ts"
import { PdfEngine } from "../../../services/PdfEngine.ts"
import * as PoolClients from "./PoolClients.ts"
import * as TurnsEntity from "./TurnsEntity.ts"

/** The scheduling of a process that takes no part: it has no tenants, and reads no pages. */
export const layerAlone = Layer.merge(Engine.layerFair, Layer.effect(PdfEngine, PdfEngine))

/** Takes the engine of this process, and provides the one that reads with the workers of all. */
export const layer = Layer.merge(SharedTurns.layer, GlobalGate.layer).pipe(
  Layer.provideMerge(FairShares.layer),
  Layer.provideMerge(PooledPdfEngine.layer),
  Layer.provide([OpenPlaces.layer, PoolClients.layer]),
  Layer.provide(TurnsEntity.layer)
)

import { Effect } from "effect"
import { isFailed } from "../../src/domain/document/Page.ts"
import { artifactKey, type Entry } from "./Entry.ts"
import type { DocumentPlan } from "./Scenario.ts"
import { endsWell, temperOf } from "./SimulatedStages.ts"
import type { World } from "./World.ts"

/** What a stage should have made of a page, or of the document; nothing of pages that it does not work on. */
const deserved = (seed: string, plan: DocumentPlan, page: number, isRecognised: boolean) => {
  const stages = page === 0 ? ["index"] : isRecognised ? ["ocr", "tables"] : ["tables"]
  return stages.map((stage) => {
    const { temper } = temperOf(seed, plan.content, stage, page)
    return [artifactKey({ page, stage }), endsWell(temper) ? "done" : "failed"] as const
  })
}

/** Of every document that was read, each stage has made what it should have, and the store has what the ledger knows. */
export const auditStages = Effect.fnUntraced(function* (seed: string, world: World, entry: Entry, plan: DocumentPlan) {
  const { artifacts, history } = world
  const stored = yield* artifacts.list(entry.tenant, entry.id, { limit: 1_000_000 })
  const found = new Map(stored.map((artifact) => [artifactKey(artifact), artifact.status]))
  const same =
    found.size === entry.artifacts.size && [...entry.artifacts].every(([key, status]) => found.get(key) === status)
  if (!same) history.violate("what is told as stored of a stage is stored", `${entry.label}: ${found.size} artifacts`)
  if (entry.status !== "completed" && entry.status !== "partial") return
  const wanted = [...entry.pages]
    .filter(([, { status }]) => !isFailed(status))
    .flatMap(([page]) => deserved(seed, plan, page, plan.trouble.get(page) === "scanned"))
  for (const [key, status] of [...wanted, ...deserved(seed, plan, 0, false)]) {
    if (found.get(key) === status) continue
    history.violate("each stage makes what it should", `${entry.label} ${key}: ${found.get(key)} for ${status}`)
  }
})

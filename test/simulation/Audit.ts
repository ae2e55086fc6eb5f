import { Effect, Option } from "effect"
import { isTerminal } from "../../src/domain/document/Document.ts"
import { isFailed, type PageStatus } from "../../src/domain/document/Page.ts"
import { type Entry, pageDigest } from "./Entry.ts"
import type { DocumentPlan, Opening, Scenario, SourcePlan, Trouble } from "./Scenario.ts"
import { auditStages } from "./StagedAudit.ts"
import type { World } from "./World.ts"

const pageEnds: Record<Trouble, { readonly status: PageStatus; readonly code: string }> = {
  // It goes through a stage that recognises its text.
  scanned: { status: "ok", code: "" },
  empty: { status: "empty", code: "" },
  "fails once": { status: "ok", code: "" },
  "fails twice": { status: "ok", code: "" },
  fails: { status: "failed", code: "PAGE_UNREADABLE" },
  corrupt: { status: "failed", code: "CORRUPT" },
  "kills once": { status: "ok", code: "" },
  kills: { status: "failed", code: "CRASHED" },
  "kills by memory": { status: "failed", code: "RESOURCE_LIMIT" },
  "hangs once": { status: "ok", code: "" },
  hangs: { status: "timeout", code: "PAGE_TIMEOUT" }
}
const fine = { status: "ok", code: "" }

const openingEnds: Record<Opening, string | undefined> = {
  opens: undefined,
  "dies once": undefined,
  dies: "CRASHED",
  "dies of memory": "RESOURCE_LIMIT",
  hangs: "DOCUMENT_TIMEOUT",
  unreadable: "CORRUPT",
  encrypted: "PASSWORD_REQUIRED"
}

const sourceEnds: Record<SourcePlan["answer"], string | undefined> = {
  comes: undefined,
  "fails once": undefined,
  fails: "SOURCE_UNAVAILABLE",
  "is gone": "SOURCE_UNAVAILABLE",
  "is refused": "SOURCE_REFUSED",
  "is no PDF": "NOT_PDF"
}

/** At the end of a history: the store holds what the ledger knows, and every document came to the end that it deserves. */
export const audit = Effect.fnUntraced(function* (scenario: Scenario, world: World) {
  const { history, ledger, store } = world
  for (const entry of ledger.entries.values()) {
    if (entry.removed) continue
    const stored = yield* Effect.option(store.find(entry.tenant, entry.id))
    if (stored._tag === "None") {
      history.violate("nothing accepted is lost", entry.label)
      continue
    }
    const { status } = stored.value
    if (!isTerminal(status) || entry.ends !== 1) history.violate("every document ends once", `${entry.label} ${status}`)
    if (status !== entry.status) history.violate("a terminal state does not change", `${entry.label} ${status}`)
    const pages = yield* store.pages(entry.tenant, entry.id, { from: 1, limit: 1_000_000, detail: true })
    const same =
      pages.length === entry.pages.size &&
      pages.every((page) => entry.pages.get(page.number)?.digest === pageDigest(page))
    if (!same)
      history.violate(
        "the first result of a page stays",
        `${entry.label}: ${pages.length} of ${entry.pages.size} pages`
      )
    const { blob } = stored.value
    if (blob !== undefined && Option.isNone(yield* Effect.option(world.blobs.locate(blob)))) {
      history.violate("the bytes of a document stay as long as it does", entry.label)
    }
    const plan = blob === undefined ? world.planOfUrl(entry.sourceUrl ?? "") : world.contentByHash.get(blob)
    if (plan !== undefined && status !== "cancelled") judge(scenario, world, entry, plan)
    const staged = scenario.staged === true ? world.planOfDocument(entry.id) : undefined
    if (staged !== undefined) yield* auditStages(scenario.seed, world, entry, staged)
  }
  world.admissions.check(history, world.log)
  // Only news may be lost, and only with the process that had it.
  const silent = [...ledger.entries.values()].filter(({ announcements }) => announcements === 0)
  const faultless = scenario.steps.every(({ action }) => action._tag === "Submit" || action._tag === "Limits")
  if (faultless && silent.length > 0) history.violate("every end is announced", silent[0]?.label ?? "")
}, Effect.orDie)

const judge = (scenario: Scenario, world: World, entry: Entry, plan: DocumentPlan) => {
  const { crashed, history, readings } = world
  const code = entry.failureCode
  // The ledger has seen to it that this was not too early.
  if (code === "EXPIRED") return
  const source = world.planOfUrl(entry.sourceUrl ?? "")?.source
  const fetching = source && sourceEnds[source.answer]
  if (fetching !== undefined && code === fetching) return
  const opening = openingEnds[plan.opening]
  if (opening !== undefined && code === opening) return
  if (scenario.hasty && code === "DOCUMENT_TIMEOUT") return
  const defects = crashed.get(entry.tenant) ?? 0
  if (code === "CRASHED" && entry.pages.size < plan.pages && defects > 0) {
    crashed.set(entry.tenant, defects - 1)
    return
  }
  if (fetching !== undefined) {
    history.violate("a source that cannot be had fails its document with the reason", `${entry.label} ${code}`)
    return
  }
  if (opening !== undefined) {
    history.violate("a file that cannot be opened fails with its reason", `${entry.label} ${code}`)
    return
  }
  for (let number = 1; number <= plan.pages; number++) {
    const page = entry.pages.get(number)
    if (page === undefined) {
      history.violate("a document that is read has every page", `${entry.label} page ${number}, ended with ${code}`)
      return
    }
    const trouble = plan.trouble.get(number)
    const deserved = trouble === undefined ? fine : pageEnds[trouble]
    if (page.status === deserved.status && page.code === deserved.code) continue
    // Once is enough if it was read alone by then, as the neighbour of a page that killed the worker.
    if (trouble === "hangs once" && page.status === "timeout") continue
    if (isFailed(page.status) && readings.of(entry.id, number).injected) continue
    const detail = `${entry.label} page ${number}: ${page.status} ${page.code} for ${trouble ?? "fine"}`
    history.violate("a page gets the result it deserves", detail)
  }
}

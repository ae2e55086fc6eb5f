import { Clock, type Context, Effect, Stream } from "effect"
import { failure } from "../../src/domain/Failure.ts"
import type { TenantId } from "../../src/domain/Ids.ts"
import type { PageResult } from "../../src/domain/document/Page.ts"
import { EngineUnavailable, PdfEngine, PdfEngineError } from "../../src/services/PdfEngine.ts"
import type { ScriptedDocument, ScriptedOpening, ScriptedPage } from "../../src/services/PdfEngineScripted.ts"
import { Dice } from "./Dice.ts"
import type { History } from "./History.ts"
import { PagePermitsSince } from "./GateWatch.ts"
import type { Entry } from "./Entry.ts"
import type { Ledger } from "./Ledger.ts"
import type { LimitsLog } from "./LimitsLog.ts"
import type { DocumentPlan } from "./Scenario.ts"
import type { Process } from "./SimulatedStore.ts"
import type { Trouble } from "./Trouble.ts"

export type Reader = Context.Service.Shape<typeof PdfEngine>
type Content = Pick<DocumentPlan, "opening" | "openMillis" | "pages" | "pageMillis" | "trouble">

interface PageReads {
  begun: number
  /** Attempt of the document in which its result was last handed over. */
  deliveredIn: number | undefined
  /** A fault of a worker, not of the page, met it. */
  injected: boolean
}

/** What the workers of all processes have done, and the rules of reading. */
export class Readings {
  readonly #pages = new Map<string, PageReads>()
  readonly #history: History
  readonly #ledger: Ledger
  readonly #trouble: Trouble
  readonly usedMillis = new Map<TenantId, number>()
  readonly injectedOpenings = new Set<string>()
  pagesRead = 0
  injectedFaults = 0

  constructor(history: History, ledger: Ledger, trouble: Trouble) {
    this.#history = history
    this.#ledger = ledger
    this.#trouble = trouble
  }

  of(key: string, page: number): PageReads {
    const id = `${page} ${key}`
    const known = this.#pages.get(id) ?? { begun: 0, deliveredIn: undefined, injected: false }
    this.#pages.set(id, known)
    return known
  }

  /** Begins to read a page; answers with the fault of a worker that meets it. */
  begin(key: string, page: number) {
    const reads = this.of(key, page)
    const entry = this.#ledger.entry(key)
    reads.begun++
    this.pagesRead++
    if (entry !== undefined && !entry.overlapped && entry.status === "running") this.#checkNeed(entry, page, reads)
    const fault = this.#trouble.workerFaults.shift()
    if (fault === undefined) return undefined
    reads.injected = true
    this.injectedFaults++
    this.#history.note(`${entry?.label ?? key} page ${page}: its worker ${fault}`)
    return fault
  }

  delivered(key: string, page: PageResult): PageResult {
    if (page.status !== "failed") this.of(key, page.number).deliveredIn = this.#ledger.entry(key)?.attempt
    return page
  }

  used(key: string, millis: number): void {
    const tenant = this.#ledger.entry(key)?.tenant
    if (tenant !== undefined) this.usedMillis.set(tenant, (this.usedMillis.get(tenant) ?? 0) + millis)
  }

  #checkNeed(entry: Entry, page: number, { begun, deliveredIn }: PageReads): void {
    const detail = `${entry.label} page ${page} in attempt ${entry.attempt}, ${begun} readings`
    if (entry.doneAtClaim.has(page))
      this.#history.violate("a finished page is not read again by a later attempt", detail)
    if (deliveredIn === entry.attempt) this.#history.violate("no attempt reads a page again that came out", detail)
  }
}

const damaged = failure("PAGE_UNREADABLE", "its content is damaged")
const corrupt = failure("CORRUPT", "it is no page")

const openingOf = ({ openMillis: takes, opening, pages }: Content, before: number): ScriptedOpening => {
  switch (opening) {
    case "opens":
      return { _tag: "Opens", takes, pageCount: pages }
    case "dies once":
      return before === 0 ? { _tag: "Death", takes } : { _tag: "Opens", takes, pageCount: pages }
    case "dies":
      return { _tag: "Death", takes }
    case "dies of memory":
      return { _tag: "Death", takes, memory: true }
    case "hangs":
      return { _tag: "Hang" }
    case "unreadable":
      return { _tag: "Unreadable", takes, failure: failure("CORRUPT", "it is no PDF") }
    case "encrypted":
      return { _tag: "Unreadable", takes, failure: failure("PASSWORD_REQUIRED", "it is encrypted") }
  }
}

const pageOf = (content: Content, page: number, before: number): ScriptedPage => {
  const takes = content.pageMillis(page)
  const fine: ScriptedPage = { _tag: "Page", takes, result: { text: `Page ${page} of ${content.pages}` } }
  switch (content.trouble.get(page)) {
    case undefined:
      return fine
    case "scanned":
      return { _tag: "Page", takes, result: { status: "scanned", text: "" } }
    case "empty":
      return { _tag: "Page", takes, result: { status: "empty", text: "" } }
    case "fails once":
      return before < 1 ? { _tag: "Failed", takes, error: damaged } : fine
    case "fails twice":
      return before < 2 ? { _tag: "Failed", takes, error: damaged } : fine
    case "fails":
      return { _tag: "Failed", takes, error: damaged }
    case "corrupt":
      return { _tag: "Failed", takes, error: corrupt }
    case "kills once":
      return before < 1 ? { _tag: "Death", takes } : fine
    case "kills":
      return { _tag: "Death", takes }
    case "kills by memory":
      return { _tag: "Death", takes, memory: true }
    case "hangs once":
      return before < 1 ? { _tag: "Hang" } : fine
    case "hangs":
      return { _tag: "Hang" }
  }
}

/** Now and then no page comes with an opening, so many, or what can be begun in a short time. Keys follow from the seed. */
const headOf = (key: string, before: number) => {
  const dice = new Dice(`head ${key} ${before}`)
  const served = dice.pick(["none", "in time", "so many"])
  return served === "in time" ? {} : { head: served === "none" ? 0 : dice.int(1, 8) }
}

/** How long results wait for each other. The key decides, so that it follows from the seed. */
export const gatheringOf = (key: string): number => new Dice(`gathering ${key}`).pick([0, 25, 150])

/** A document's script, in which the worker faults of the moment meet whatever page is begun next. Workers die with their process. */
export const scriptOf = (content: Content, key: string, readings: Readings, process: Process): ScriptedDocument => ({
  open: (before) => {
    if (!process.alive) return { _tag: "Hang" }
    const opening = openingOf(content, before)
    return opening._tag === "Opens" ? { ...opening, ...headOf(key, before) } : opening
  },
  page: (page) => {
    if (!process.alive) return { _tag: "Hang" }
    // Over all processes, unlike the count of the scripted engine: what failed once fails once.
    const before = readings.of(key, page).begun
    const fault = readings.begin(key, page)
    if (fault === "hangs") return { _tag: "Hang" }
    if (fault !== undefined)
      return { _tag: "Death", takes: content.pageMillis(page), memory: fault === "dies of memory" }
    return pageOf(content, page, before)
  }
})

interface Watch {
  readonly limits: LimitsLog
  readonly history: History
  readonly ledger: Ledger
  readonly readings: Readings
  readonly trouble: Trouble
  /** Turns may be given of which others are not yet known: more calls then wait for a worker. */
  readonly mayExceed: (now: number) => boolean
}

/** The workers of one process: they die with it, and the gates before them are watched. */
export const simulatedReader = (reader: Reader, process: Process, watch: Watch) => {
  const { history, ledger, readings, trouble } = watch
  const inHand = new Map<string, Set<{ readonly pages: number; readonly permitsAt: number }>>()
  let calls = 0
  let peak = 0

  const down = (key: string) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      if (process.alive && !trouble.engineFails(now)) return Effect.void
      ledger.disturbed(key)
      return Effect.fail(new PdfEngineError({ reason: new EngineUnavailable({ detail: "simulated" }) }))
    })

  /** Permits taken later than these were taken while these were held, so all are within the limit of the last moment. */
  const checkPages = (key: string) => {
    const entry = ledger.entry(key)
    const own = [...(inHand.get(key) ?? [])]
    if (entry === undefined || entry.overlapped) return
    const pages = own.reduce((sum, call) => sum + call.pages, 0)
    const limit = watch.limits.most("pages", entry.tenant, Math.max(...own.map(({ permitsAt }) => permitsAt)))
    if (pages > limit) {
      history.violate("pages in flight stay within the page gate", `${entry.label} has ${pages} of ${limit}`)
    }
  }

  const call = (key: string, pages: number) =>
    Effect.acquireRelease(
      Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        const call = { pages, permitsAt: (yield* PagePermitsSince) ?? now, since: now }
        calls++
        peak = Math.max(peak, calls)
        if (calls > reader.capacity && !watch.mayExceed(now))
          history.violate("calls of the workers stay within their capacity", `${calls} calls`)
        inHand.set(key, (inHand.get(key) ?? new Set()).add(call))
        if (pages > 0) checkPages(key)
        return call
      }),
      (call) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          calls--
          inHand.get(key)?.delete(call)
          readings.used(key, now - call.since)
        })
    )

  const shape: Reader = {
    ...reader,
    open: (pdf, head) =>
      call(pdf.key, head === undefined ? 0 : Math.min(head.concurrency, head.pages)).pipe(
        Effect.andThen(down(pdf.key)),
        Effect.andThen(reader.open(pdf, head)),
        Effect.tap((opened) =>
          Effect.sync(() => opened.head?.forEach((page) => void readings.delivered(pdf.key, page)))
        ),
        Effect.scoped
      ),
    read: (pdf, pages, concurrency) =>
      Stream.unwrap(
        call(pdf.key, Math.min(concurrency, pages.length)).pipe(
          Effect.andThen(down(pdf.key)),
          Effect.as(Stream.map(reader.read(pdf, pages, concurrency), (page) => readings.delivered(pdf.key, page)))
        )
      )
  }
  return { reader: PdfEngine.of(shape), calls: () => calls, peak: () => peak, resetPeak: () => void (peak = calls) }
}

import { assert, describe, it } from "@effect/vitest"
import type { DocumentStatus } from "../../../src/domain/document/Document.ts"
import { isViolated } from "../findings.ts"
import type { Upload } from "../workload.ts"
import { audit } from "./audit.ts"
import type { Evidence } from "./evidence.ts"
import type { Change, Save } from "./record.ts"

const upload: Upload = {
  name: "acme-1.pdf",
  tenant: "acme",
  bytes: new Uint8Array(),
  expected: { status: "completed", pages: ["one", "two", "three"] }
}
const id = "document-1"

const change = (
  at: number,
  [before, status]: readonly [DocumentStatus | null, DocumentStatus | null],
  [attemptBefore, attempt]: readonly [number, number],
  fence: number | null = null,
  process = "runner-1"
): Change => ({ at, document: id, tenant: "acme", before, status, attemptBefore, attempt, fence, process })

const save = (at: number, page: number, attempt: number, process = "runner-1"): Save => ({
  at,
  document: id,
  page,
  attempt,
  status: "running",
  fence: attempt,
  process
})

const accepted = change(0, [null, "queued"], [0, 0])
const taken = change(1_000, ["queued", "running"], [0, 1])
const givenBack = change(5_000, ["running", "queued"], [1, 1])
const takenAgain = change(6_000, ["queued", "running"], [1, 2], null, "runner-2")
const ended = change(8_000, ["running", "completed"], [2, 2], 2, "runner-2")

/** One document, whose first runner was killed after its first page. */
const sound: Evidence = {
  attempted: new Map([[upload.name, upload]]),
  acknowledged: new Map([[id, upload]]),
  shown: [
    {
      document: { id, name: upload.name, status: "completed" },
      pages: ["one", "two", "three"].map((text, index) => ({ number: index + 1, status: "ok", text }))
    }
  ],
  recorded: {
    changes: [accepted, taken, givenBack, takenAgain, ended],
    saves: [save(2_000, 1, 1), save(7_000, 2, 2, "runner-2"), save(7_500, 3, 2, "runner-2")]
  },
  readings: [
    { document: id, attempt: 1, pages: [1, 2] },
    { document: id, attempt: 2, pages: [2, 3] }
  ],
  troubles: [{ name: "kill", runner: "runner-1", at: 3_000, until: 9_000, alone: true }],
  counters: { waiting: 0, running: 0 },
  wrongAnswers: [],
  wrongEnds: [],
  orphans: [],
  missingOriginals: [],
  sentAgain: 0,
  failedStarts: 0
}

const violations = (evidence: Evidence) =>
  audit(evidence, { isResumingBounded: true })
    .filter(isViolated)
    .map(({ what }) => what)

const withChanges = (...changes: ReadonlyArray<Change>): Evidence => ({
  ...sound,
  recorded: { ...sound.recorded, changes }
})
const withSaves = (...saves: ReadonlyArray<Save>): Evidence => ({ ...sound, recorded: { ...sound.recorded, saves } })
const [first, second, third] = [save(2_000, 1, 1), save(7_000, 2, 2), save(7_500, 3, 2)]
const [shown] = sound.shown
const withPages = (...texts: ReadonlyArray<string>): Evidence => ({
  ...sound,
  shown: sound.shown.map((each) => ({
    ...each,
    pages: texts.map((text, index) => ({ number: index + 1, status: "ok", text }))
  }))
})

const late = withChanges(accepted, taken, givenBack, { ...takenAgain, at: 9_001 }, { ...ended, at: 10_000 })

const planted: ReadonlyArray<readonly [what: string, evidence: Evidence]> = [
  ["documents lost", { ...sound, acknowledged: new Map([...sound.acknowledged, ["document-2", upload]]) }],
  [
    "documents lost",
    withChanges(accepted, taken, givenBack, takenAgain, ended, change(9_000, ["completed", null], [2, 2]))
  ],
  [
    "documents doubled",
    {
      ...sound,
      shown: sound.shown.flatMap((each) => [each, { ...each, document: { ...each.document, id: "document-2" } }])
    }
  ],
  [
    "documents stuck",
    { ...sound, shown: sound.shown.map((each) => ({ ...each, document: { ...each.document, status: "running" } })) }
  ],
  ["documents nobody uploaded", { ...sound, attempted: new Map() }],
  [
    "documents with the wrong end",
    { ...sound, shown: sound.shown.map((each) => ({ ...each, document: { ...each.document, status: "partial" } })) }
  ],
  [
    "pages doubled",
    { ...sound, shown: sound.shown.map((each) => ({ ...each, pages: [...each.pages, ...each.pages.slice(0, 1)] })) }
  ],
  ["pages missing or surplus", withPages("one", "two")],
  ["pages missing or surplus", withPages("one", "two", "three", "four")],
  ["pages with the wrong result", withPages("one", "three", "two")],
  ["documents that the database shows without an end", withChanges(accepted, taken, givenBack, takenAgain)],
  [
    "documents whose attempts did not grow",
    withChanges(accepted, taken, givenBack, change(6_000, ["queued", "running"], [1, 1]), ended)
  ],
  [
    "documents whose attempts did not grow",
    withChanges(accepted, taken, givenBack, takenAgain, change(8_000, ["running", "completed"], [1, 1], 1))
  ],
  [
    "documents taken while another run had them",
    withChanges(accepted, taken, change(6_000, ["running", "running"], [1, 2], null, "runner-2"), ended)
  ],
  [
    "documents that ended twice",
    withChanges(accepted, taken, givenBack, takenAgain, ended, change(9_000, ["completed", "failed"], [2, 2], 2))
  ],
  [
    "ends written under an old attempt",
    withChanges(accepted, taken, givenBack, takenAgain, change(8_000, ["running", "completed"], [2, 2], 1))
  ],
  [
    "ends written under an old attempt",
    withChanges(accepted, taken, givenBack, takenAgain, change(8_000, ["running", "completed"], [2, 2]))
  ],
  ["pages written under an old attempt", withSaves(first, second, { ...third, fence: 1 })],
  ["pages written under an old attempt", withSaves(first, second, { ...third, fence: null })],
  ["pages written under an old attempt", withSaves(first, second, { ...third, status: "queued" })],
  ["pages written twice", withSaves(first, second, third, { ...first, attempt: 2, fence: 2 })],
  ["finished pages read again", { ...sound, readings: [...sound.readings, { document: id, attempt: 2, pages: [1] }] }],
  ["documents waiting or running at the end", { ...sound, counters: { waiting: 0, running: 1 } }],
  ["originals lost", { ...sound, missingOriginals: [id] }],
  ["answers that no trouble explains", { ...sound, wrongAnswers: ["400"] }],
  ["runners that ended wrongly", { ...sound, wrongEnds: ["runner-1: 1"] }],
  ["orphaned page workers", { ...sound, orphans: ["process 1"] }],
  ["ms until they went on, runner was killed, median", late],
  [
    "ms until they went on, runner was told to stop, median",
    { ...late, troubles: sound.troubles.map((trouble) => ({ ...trouble, name: "term" })) }
  ]
]

describe("The audit of a run with several runners", () => {
  it("finds nothing wrong with a document that went on after its runner was killed", () => {
    assert.isDefined(shown)
    assert.deepStrictEqual(violations(sound), [])
  })

  it.each(planted)("finds %s", (what, evidence) => {
    assert.include(violations(evidence), what)
  })

  it("has no bound that no planted violation breaks", () => {
    const bounded = audit(sound, { isResumingBounded: true }).filter(({ allowed }) => allowed !== undefined)
    const found = new Set(planted.map(([what]) => what))
    assert.deepStrictEqual(
      bounded.map(({ what }) => what).filter((what) => !found.has(what)),
      []
    )
  })
})

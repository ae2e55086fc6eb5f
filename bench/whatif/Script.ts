import type { PdfRef } from "../../src/services/PdfEngine.ts"
import type { ScriptedDocument, ScriptedOpening, ScriptedPage } from "../../src/services/PdfEngineScripted.ts"
import { failure } from "../../src/domain/Failure.ts"
import type { Reading, TracedDocument } from "./Workload.ts"

/** A traced document as workers meet it: each call takes as long as it took, and comes to the same end. */

export const bytesOf = (document: TracedDocument): Uint8Array => new TextEncoder().encode(`%PDF-1.7 ${document.id} `)

export const idOf = ({ location }: PdfRef): string =>
  location._tag === "Bytes" ? (new TextDecoder().decode(location.bytes).split(" ")[1] ?? "") : ""

const recorded = "as it was recorded"

const openingOf = ({ openings, pages }: TracedDocument, before: number): ScriptedOpening => {
  const opening = openings[before] ?? openings.findLast(({ end }) => end === "done" || end === "unreadable")
  if (opening === undefined) return { _tag: "Opens", pageCount: pages }
  if (opening.end === "interrupted") return { _tag: "Hang" }
  const takes = opening.millis
  if (opening.end === "unreadable") {
    return { _tag: "Unreadable", takes, failure: failure(opening.error ?? "CORRUPT", recorded) }
  }
  return opening.end === "done"
    ? { _tag: "Opens", takes, pageCount: opening.pages ?? pages, head: opening.head?.length ?? 0 }
    : { _tag: "Death", takes, memory: opening.end === "died of memory" }
}

const pageOf = (reading: Reading): ScriptedPage => {
  if (reading._tag === "Hang") return reading
  if (reading._tag === "Death") return { _tag: "Death", takes: reading.millis, memory: reading.memory }
  return reading.error === undefined
    ? { _tag: "Page", takes: reading.millis }
    : { _tag: "Failed", takes: reading.millis, error: failure(reading.error, recorded) }
}

export const scriptOf = (document: TracedDocument): ScriptedDocument => ({
  open: (before) => openingOf(document, before),
  page: (number, before) => {
    const readings = document.readings.get(number) ?? []
    return pageOf(readings[before] ?? readings.at(-1) ?? { _tag: "Page", millis: document.meanMillis })
  }
})

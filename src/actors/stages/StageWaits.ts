import { Context, Layer } from "effect"
import type { DocumentId } from "../../domain/Ids.ts"
import type { OnWaiting } from "./StageCalls.ts"

/** The downstreams that calls of documents wait for, in this process. */
export class StageWaits extends Context.Service<
  StageWaits,
  {
    readonly of: (document: DocumentId) => OnWaiting
    /** The downstream for which most of the document's calls wait; none while none waits. */
    readonly waitsFor: (document: DocumentId) => string | undefined
  }
>()("sluice/actors/stages/StageWaits") {
  static readonly layer = Layer.sync(StageWaits, () => {
    const waits = new Map<DocumentId, Map<string, number>>()
    return StageWaits.of({
      of: (document) => (downstream, calls) => {
        const own = waits.get(document) ?? new Map<string, number>()
        const now = (own.get(downstream) ?? 0) + calls
        if (now > 0) own.set(downstream, now)
        else own.delete(downstream)
        if (own.size > 0) waits.set(document, own)
        else waits.delete(document)
      },
      waitsFor: (document) => {
        const most = Array.from(waits.get(document) ?? []).toSorted(([, a], [, b]) => b - a)[0]
        return most?.[0]
      }
    })
  })
}

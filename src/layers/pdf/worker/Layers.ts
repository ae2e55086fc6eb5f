// Which layers (optional content) of a document are shown.
import { Effect } from "effect"
import type { PDFDocumentProxy } from "pdfjs-dist/legacy/build/pdf.mjs"

export type LayerVisibility = (group: unknown) => boolean

const allShown: LayerVisibility = () => true

/** By the configuration that a viewer starts with. A layer whose state is not known is shown. */
export const layerVisibility = (document: PDFDocumentProxy): Effect.Effect<LayerVisibility> =>
  Effect.tryPromise(() => document.getOptionalContentConfig({ intent: "display" })).pipe(
    Effect.map((config): LayerVisibility => {
      return (group) => {
        if (typeof group !== "object" || group === null) return true
        try {
          return config.isVisible(group)
        } catch {
          return true
        }
      }
    }),
    Effect.orElseSucceed(() => allShown)
  )

import { Effect } from "effect"
import { type PageImage, PageImages } from "../../../services/PageImages.ts"
import { mediaTypes } from "../../../services/PageImages.ts"
import { StageError } from "../../../services/pipelines/Stage.ts"
import type { DrawPage } from "./Matter.ts"

/** Draws pages with `PageImages`, in the class of stages. */
export const drawPages = Effect.map(
  PageImages,
  (images): DrawPage =>
    ({ page, pdf, priority, tenant }, { dpi, format }) =>
      images.render(pdf, page, { size: { dpi }, format }, { tenant, priority, class: "batch" }).pipe(
        Effect.map(({ bytes }: PageImage) => ({ mediaType: mediaTypes[format], bytes })),
        Effect.catchTags({
          PageImageError: ({ again, failure }) => Effect.fail(new StageError({ failure, again })),
          PdfUnreadable: ({ failure }) => Effect.fail(new StageError({ failure, again: false }))
        })
      )
)

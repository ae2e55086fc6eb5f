// What a child that draws pages is asked, and what it answers. The engine checks the answers.
import { Schema } from "effect"
import { ImageFormat, type PageImage } from "../../../services/PageImages.ts"

export const RenderTask = Schema.Struct({
  password: Schema.UndefinedOr(Schema.String),
  page: Schema.Natural,
  size: Schema.Union([Schema.Struct({ dpi: Schema.Finite }), Schema.Struct({ width: Schema.Finite })]),
  format: ImageFormat,
  maxPixels: Schema.Natural
})
export interface RenderTask extends Schema.Schema.Type<typeof RenderTask> {}
export const isRenderTask: (value: unknown) => value is RenderTask = Schema.is(RenderTask)

/** More than any image of `mostPixels` has. */
export const mostAnswerBytes = 128 * 1024 * 1024

const isImage = Schema.is(
  Schema.Struct({ width: Schema.Natural, height: Schema.Natural, bytes: Schema.instanceOf(Uint8Array) })
)

/** The image in a child's answer; undefined if it is none of what was asked for. */
export const imageIn = (value: unknown, { format, maxPixels }: RenderTask): PageImage | undefined => {
  if (!isImage(value)) return undefined
  const { bytes, height, width } = value
  if (width * height > maxPixels || (format === "grey" && bytes.byteLength !== width * height)) return undefined
  return { format, width, height, bytes }
}

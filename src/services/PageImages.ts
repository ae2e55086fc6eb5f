import { Context, type Effect, Schema } from "effect"
import { DownstreamName } from "../domain/downstream/Downstream.ts"
import { Failure } from "../domain/Failure.ts"
import type { CallOptions, DownstreamFailure, Downstreams } from "./downstreams/Downstreams.ts"
import type { PdfRef, PdfUnreadable } from "./PdfEngine.ts"

/** The downstream that pages are drawn under. */
export const imagesDownstream = DownstreamName.make("images")

/** `grey`: one byte a pixel, row by row from the top, without any header; 0 is black. */
export const ImageFormat = Schema.Literals(["png", "webp", "grey"])
export type ImageFormat = typeof ImageFormat.Type

/** The page as displayed, turned as the file says. */
export interface PageImage {
  readonly format: ImageFormat
  /** In pixels. */
  readonly width: number
  readonly height: number
  readonly bytes: Uint8Array
}

export const mediaTypes = { png: "image/png", webp: "image/webp", grey: "application/octet-stream" } as const

/** What is asked of an image: its resolution, or its width. */
export interface ImageRequest {
  readonly size: { readonly dpi: number } | { readonly width: number }
  readonly format: ImageFormat
  /** An image of more pixels is not drawn; `mostPixels` when absent. */
  readonly maxPixels?: number
}

/** What one image may have, unless less is asked for: A4 at 540 dpi, A0 at 95 dpi. */
export const mostPixels = 25_000_000

export const leastDpi = 10
export const mostDpi = 600

/** A page in small, as lists of pages show it. */
export const thumbnail: ImageRequest = { size: { width: 240 }, format: "webp" }

/**
 * The page cannot be drawn: `PAGE_TOO_LARGE`, `PAGE_UNREADABLE` (no such page, or damaged), `RESOURCE_LIMIT`, `PAGE_TIMEOUT` or
 * `CRASHED`. `again`: another try may succeed.
 */
export class PageImageError extends Schema.TaggedError<PageImageError>()("PageImageError", {
  failure: Failure,
  again: Schema.Boolean
}) {
  override get message() {
    return this.failure.message
  }
}

/**
 * Draws pages. Images for people are of the class `online`, those that stages need are `batch`: they are drawn by processes of
 * their own, apart from each other and from the page workers.
 */
export class PageImages extends Context.Service<
  PageImages,
  {
    /** Under the downstream `images`. The bytes of the result are shared: they must not be changed. */
    readonly render: (
      pdf: PdfRef,
      page: number,
      request: ImageRequest,
      call: CallOptions
    ) => Effect.Effect<PageImage, PdfUnreadable | PageImageError | DownstreamFailure, Downstreams>
  }
>()("sluice/services/PageImages") {}

import { Context, type Effect, Schema } from "effect"
import { DownstreamName } from "../domain/downstream/Downstream.ts"
import { Failure } from "../domain/Failure.ts"

/** The downstream that the built-in recognition of text runs under. */
export const ocrDownstream = DownstreamName.make("ocr")

/** Grey pixels, one byte each, row by row from the top; 0 is black. */
export interface GreyImage {
  readonly width: number
  readonly height: number
  readonly bytes: Uint8Array
}

/** In pixels from the top left corner of the image as it was given. */
export interface OcrWord {
  readonly text: string
  /** 0 to 100. */
  readonly confidence: number
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** Degrees, clockwise. */
export type QuarterTurn = 0 | 90 | 180 | 270

export interface OcrLine {
  /** Lines of one block stand below each other: a column, or a part of one. */
  readonly block: number
  /** Where it runs to: 0 to the right, 90 down, 180 to the left (upside down), 270 up. */
  readonly direction: QuarterTurn
  /** In the order in which they are read. */
  readonly words: ReadonlyArray<OcrWord>
}

export interface OcrReading {
  /** By how much the image has to be turned for most of its text to be upright. */
  readonly orientation: QuarterTurn
  /** In the order of reading. */
  readonly lines: ReadonlyArray<OcrLine>
  /** Of all words, by their length: 0 to 100; 0 when there are none. */
  readonly confidence: number
}

/**
 * The image could not be recognised: `OCR_LANGUAGE_MISSING`, `RESOURCE_LIMIT`, `STAGE_TIMEOUT`, `STAGE_FAILED` or `CRASHED`.
 * `again`: another try may succeed.
 */
export class OcrError extends Schema.TaggedError<OcrError>()("OcrError", { failure: Failure, again: Schema.Boolean }) {
  override get message() {
    return this.failure.message
  }
}

export interface OcrOptions {
  /** As the engine names them: `eng`, `deu`, `chi_sim`. */
  readonly languages: ReadonlyArray<string>
  /** Of the image. Without it an engine guesses, and may take a page apart. */
  readonly dpi: number
}

/** Recognises the text of images. Nothing of an image is kept. */
export class Ocr extends Context.Service<
  Ocr,
  {
    /** `tesseract.js` or `tesseract`. */
    readonly engine: string
    /** Of the engine: changes when it may recognise something else. */
    readonly version: string
    /** Those of the languages that it has no data for. */
    readonly missing: (languages: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<string>>
    /** In any orientation by quarter turns. */
    readonly recognise: (image: GreyImage, options: OcrOptions) => Effect.Effect<OcrReading, OcrError>
  }
>()("sluice/services/Ocr") {}

import { Schema, Struct } from "effect"

/**
 * What may be missing or wrong in a delivered result. The codes are part of the public interface: they may be added to,
 * but never renamed. `docs/warnings.md` tells what each one means.
 */
const catalogue = {
  /** Warnings about a page. */
  TEXT_MISSING: "The page shows text that could not be read.",
  FONT_DAMAGED: "A font of the page is damaged; its text was read as well as it can be and may be wrong.",
  CONTENT_CUT: "The page's content breaks off; what follows there is missing.",
  TEXT_CUT: "The page has more text than is kept; the rest was left out.",
  LAYOUT_CUT: "The page has a larger layout than is kept; its last blocks were left out. Its text is not affected.",
  STAGE_SKIPPED: "An optional stage did not do its work on the page; what it would have added is missing.",
  TEXT_UNSURE: "The page's text was recognised from an image, and parts of it may be wrong.",
  /** Warnings about a document. */
  PAGES_UNREACHABLE: "The page tree is damaged.",
  DAMAGE_REPAIRED: "The file is damaged; it was read as well as it can be.",
  OUTLINE_CUT: "The outline is longer than is kept; the rest was left out.",
  METADATA_CUT: "The metadata is longer than is kept; the rest was left out."
} as const

export const WarningCode = Schema.Literals(Struct.keys(catalogue))
export type WarningCode = typeof WarningCode.Type

/** A stable `code`, and a `message` for a person. */
export const Warning = Schema.Struct({ code: WarningCode, message: Schema.String })
export type Warning = typeof Warning.Type

/** The message defaults to that of the code. */
export const warning = (code: WarningCode, message: string = catalogue[code]): Warning => ({ code, message })

/** Absent when there are no warnings. */
export const Warnings = Schema.optionalKey(
  Schema.Array(Warning).annotate({ description: "What may be missing or wrong. Absent when nothing is known to be." })
)

/** The warnings as a field to spread into an object; no field when there are none. */
export const warningsField = (warnings: ReadonlyArray<Warning> | undefined): { warnings?: ReadonlyArray<Warning> } =>
  warnings === undefined || warnings.length === 0 ? {} : { warnings }

export const hasWarnings = ({ warnings }: { readonly warnings?: ReadonlyArray<Warning> }): boolean =>
  warnings !== undefined && warnings.length > 0

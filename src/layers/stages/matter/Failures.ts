import { Schema } from "effect"
import { failure } from "../../../domain/Failure.ts"
import { StageError } from "../../../services/pipelines/Stage.ts"

/** How much of what a far side or a command said is shown. */
const mostShown = 400

/** The begin of a text in one line, for a message. */
export const excerpt = (text: string, most = mostShown): string => {
  const line = text
    .slice(0, most * 4)
    .replaceAll(/[\p{C}\s]+/gu, " ")
    .trim()
  return line.length > most ? `${line.slice(0, most).toWellFormed()}…` : line.toWellFormed()
}

/** The stage will not do better on the same input. */
export const final = (detail: string) => new StageError({ failure: failure("STAGE_FAILED", detail), again: false })

/** Another try may do better. */
export const passing = (detail: string) => new StageError({ failure: failure("STAGE_FAILED", detail), again: true })

/** A text is not one, or a value is another than expected. */
export const isJsonObject = Schema.is(Schema.Record(Schema.String, Schema.Unknown))

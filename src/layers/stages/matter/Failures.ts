import { failure } from "../../../domain/Failure.ts"
import { StageError } from "../../../services/pipelines/Stage.ts"

/** How much of what a far side or a command said is shown. */
const mostShown = 400

const oneLine = (text: string): string => text.replaceAll(/[\p{C}\s]+/gu, " ").trim()

/** The begin of a text in one line, for a message. */
export const excerpt = (text: string, most = mostShown): string => {
  const line = oneLine(text.slice(0, most * 4))
  return line.length > most ? `${line.slice(0, most).toWellFormed()}…` : line.toWellFormed()
}

/** The end of a text in one line, where a program says why it failed. */
export const ending = (text: string, most = mostShown): string => {
  const line = oneLine(text.slice(-most * 4))
  return line.length > most ? `…${line.slice(-most).toWellFormed()}` : line.toWellFormed()
}

/** The stage will not do better on the same input. */
export const final = (detail: string) => new StageError({ failure: failure("STAGE_FAILED", detail), again: false })

/** Another try may do better. */
export const passing = (detail: string) => new StageError({ failure: failure("STAGE_FAILED", detail), again: true })

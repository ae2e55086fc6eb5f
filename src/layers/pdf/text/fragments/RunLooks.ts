// How each run of a page looks: by its font, and by what the page draws around it.
import type { Drawn } from "../Drawn.ts"
import type { LookOf, TextRun } from "../Fragments.ts"
import type { FontStyle } from "../Looks.ts"
import { lookOfFont } from "../Looks.ts"
import { hiddenLooks } from "./Hidden.ts"

/** `fonts` are known by the names that runs give. */
export const runLooks = (fonts: Readonly<Record<string, FontStyle>>, drawn: ReadonlyArray<Drawn>): LookOf => {
  const known = new Map<string | undefined, number>()
  const hidden = hiddenLooks(drawn)
  return (run: TextRun, size, boxOf) => {
    const { fontName } = run
    let look = known.get(fontName)
    if (look === undefined) {
      look = lookOfFont((fontName === undefined ? undefined : fonts[fontName]) ?? {})
      known.set(fontName, look)
    }
    return look | hidden(run, size, boxOf)
  }
}

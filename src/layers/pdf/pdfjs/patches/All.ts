import { annotationPatches } from "./Annotations.ts"
import { descriptionPatches } from "./Description.ts"
import { drawingPatches } from "./Drawing.ts"
import { fontPatches } from "./Fonts.ts"
import { linkPatches } from "./Links.ts"
import type { Patch } from "./Patch.ts"
import { streamPatches } from "./Streams.ts"
import { structurePatches } from "./Structure.ts"
import { textPatches } from "./Text.ts"

/** All changes of what is read. */
export const patches: ReadonlyArray<Patch> = [
  ...streamPatches,
  ...fontPatches,
  ...textPatches,
  ...drawingPatches,
  ...structurePatches,
  ...annotationPatches,
  ...linkPatches,
  ...descriptionPatches
]

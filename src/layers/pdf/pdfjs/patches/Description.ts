// What a file says about itself.
import { before, type Patch } from "./Patch.ts"

/**
 * Longer strings are cut before they are converted, to what 2,000 characters may take: a file may have one of many megabytes,
 * and refer to it again and again.
 */
const mostBytes = 8_192
const mostCharacters = 2_048

export const descriptionPatches: ReadonlyArray<Patch> = [
  before(
    "class Catalog {",
    String.raw`
let lastTitle = "", lastTitleShown = "";
function shortTitle(title) {
  if (title !== lastTitle) {
    lastTitle = title;
    lastTitleShown = stringToPDFString(title.slice(0, ${mostBytes})).slice(0, ${mostCharacters});
  }
  return lastTitleShown;
}
`
  ),
  {
    find: 'title: typeof title === "string" ? stringToPDFString(title) : "",',
    replace: 'title: typeof title === "string" ? shortTitle(title) : "",'
  },
  {
    find: "            docInfo[key] = stringToPDFString(value);",
    replace: `            docInfo[key] = stringToPDFString(value.slice(0, ${mostBytes}));`
  },
  {
    find: "              customValue = stringToPDFString(value);",
    replace: `              customValue = stringToPDFString(value.slice(0, ${mostBytes}));`
  },
  // It takes long to parse, and nothing of it is used.
  {
    find: 'pdfManager.ensureDoc("documentInfo"), pdfManager.ensureCatalog("metadata"),',
    replace: 'pdfManager.ensureDoc("documentInfo"), null,'
  },
  // A signature has no actions at all.
  { find: "fieldObj.some(obj => obj.actions !== null)", replace: "fieldObj.some(obj => !!obj?.actions)" },
  {
    find: '      throw new FormatError("unknown encryption method");',
    replace:
      '      throw new FormatError("unknown encryption method: " + (filter instanceof Name ? filter.name : "none is named"));'
  }
]

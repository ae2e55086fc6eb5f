// The program that draws pages, and what it may read.
import { realpathSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { moduleBeside } from "../pool/Protocol.ts"
import { packageOf, type PackageFolder, type Program } from "../pool/Launch.ts"

/** The native package that pages are drawn with: pdf.js brings it along, where it is installed with what is optional. */
const canvasPackage = "@napi-rs/canvas"

/** With the package of native code beside it, which has the name of the platform. Undefined where it is not installed. */
const canvasScope = (): PackageFolder | undefined => {
  const fromPdfJs = createRequire(import.meta.resolve("pdfjs-dist/legacy/build/pdf.mjs"))
  try {
    const path = realpathSync(fromPdfJs.resolve(canvasPackage))
    const scope = join("node_modules", dirname(canvasPackage))
    return { name: dirname(canvasPackage), folder: path.slice(0, path.lastIndexOf(scope) + scope.length) }
  } catch {
    return undefined
  }
}

/** Undefined where pages cannot be drawn, because what draws them is not installed. */
export const renderProgram = (fonts: ReadonlyArray<string>, niceness: number): Program | undefined => {
  const canvas = canvasScope()
  if (canvas === undefined) return undefined
  return {
    title: "sluice-page-images",
    entry: moduleBeside(import.meta.url, "RenderMain"),
    args: fonts,
    packages: [...["effect", "pdfjs-dist"].map(packageOf), canvas],
    files: fonts,
    hasAddons: true,
    niceness
  }
}

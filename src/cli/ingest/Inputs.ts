import { basename, extname, join, relative, resolve, sep } from "node:path"
import { cwd } from "node:process"
import { Effect, FileSystem } from "effect"
import { WrongUsage } from "../Failure.ts"
import type { Input } from "./Target.ts"

const isPdf = (name: string) => extname(name).toLowerCase() === ".pdf"

/** As a person would write it: relative below the working folder, otherwise absolute. */
export const nearest = (path: string): string => {
  const short = relative(cwd(), path)
  return short === ".." || short.startsWith(`..${sep}`) ? path : short || "."
}

/** The files that are meant: those named, and the `*.pdf` of the folders named. Each once. */
export const inputsOf = Effect.fnUntraced(function* (paths: ReadonlyArray<string>) {
  const files = yield* FileSystem.FileSystem
  const found = new Map<string, Input>()

  const add = Effect.fnUntraced(function* (path: string) {
    const info = yield* files.stat(path)
    if (info.type === "File") found.set(resolve(path), { path, name: basename(path), size: Number(info.size) })
    return info.type
  })

  for (const path of paths) {
    const type = yield* Effect.mapError(add(path), () => new WrongUsage({ message: `${path}: no such file or folder` }))
    if (type === "Directory") {
      const names = (yield* files.readDirectory(path)).filter(isPdf).toSorted()
      yield* Effect.forEach(names, (name) => add(join(path, name)), { discard: true })
    } else if (type !== "File") {
      return yield* new WrongUsage({ message: `${path} is neither a file nor a folder` })
    }
  }
  if (found.size === 0) return yield* new WrongUsage({ message: `there is no PDF in ${paths.join(", ")}` })
  return [...found.values()]
})

export interface Named {
  readonly input: Input
  /** The file in the output folder. */
  readonly out: string
  /** It could not have the name that it would have alone. */
  readonly renamed: boolean
}

/** One name for each input, the first of several with the same name keeping it. Upper and lower case are one for some file systems. */
export const outputNames = (inputs: ReadonlyArray<Input>, extension: string): ReadonlyArray<Named> => {
  const stemOf = ({ name }: Input) => (isPdf(name) ? name.slice(0, -extname(name).length) : name)
  const natural = new Set(inputs.map((input) => stemOf(input).toLowerCase()))
  const taken = new Set<string>()
  return inputs.map((input) => {
    const stem = stemOf(input)
    let name = stem
    for (let n = 2; taken.has(name.toLowerCase()) || (n > 2 && natural.has(name.toLowerCase())); n++)
      name = `${stem}-${n}`
    taken.add(name.toLowerCase())
    return { input, out: `${name}${extension}`, renamed: name !== stem }
  })
}

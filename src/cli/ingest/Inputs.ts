import { basename, extname, join, relative, resolve, sep } from "node:path"
import { cwd } from "node:process"
import { Effect, FileSystem, type PlatformError } from "effect"
import { WrongUsage } from "../CommandFailure.ts"
import { reasonOfSystem } from "../SystemError.ts"
import type { Outcome } from "./ItemResult.ts"
import { spooledStdin, standard } from "./Standard.ts"
import type { Input } from "./Target.ts"

const isPdf = (name: string) => extname(name).toLowerCase() === ".pdf"

/** The path in its short form: relative below the working folder, otherwise absolute. */
export const nearest = (path: string): string => {
  const short = relative(cwd(), path)
  if (short === standard) return `.${sep}${standard}`
  return short === ".." || short.startsWith(`..${sep}`) ? path : short || "."
}

export interface Found {
  readonly inputs: ReadonlyArray<Input>
  /** Files that cannot be sent. The others are sent all the same. */
  readonly unusable: ReadonlyArray<Outcome>
}

const wordsOf = (error: PlatformError.PlatformError) =>
  error.reason._tag === "NotFound" ? "there is no such file or folder, or it is a link to none" : reasonOfSystem(error)

/**
 * The files to ingest, each once: the named files, the `*.pdf` in the named folders, and standard input for `-`. Unreadable
 * files are reported with the results; it is a usage error only if nothing that was named can be read.
 */
export const inputsOf = Effect.fnUntraced(function* (paths: ReadonlyArray<string>) {
  const files = yield* FileSystem.FileSystem
  const inputs = new Map<string, Input>()
  const unusable = new Map<string, Outcome>()

  const refuse = (path: string, code: string, detail: string) => {
    unusable.set(resolve(path), { file: path, status: "refused", error: { code, detail } })
  }
  const add = Effect.fnUntraced(function* (path: string) {
    const info = yield* files.stat(path)
    if (info.type === "File") inputs.set(resolve(path), { path, name: basename(path), size: Number(info.size) })
    return info.type
  })
  /** Adds a file of a folder. */
  const addEntry = (path: string) =>
    Effect.match(add(path), {
      onSuccess: (type) => {
        if (type !== "File") refuse(path, "NOT_A_FILE", type === "Directory" ? "it is a folder" : "it is no plain file")
      },
      onFailure: (error) => refuse(path, "UNREADABLE", wordsOf(error))
    })

  for (const path of paths) {
    if (path === standard) {
      if (!inputs.has(standard)) inputs.set(standard, yield* spooledStdin)
      continue
    }
    const type = yield* Effect.match(add(path), {
      onSuccess: (type) => type,
      onFailure: (error) => refuse(path, "UNREADABLE", wordsOf(error))
    })
    if (type === "Directory") {
      const names = yield* Effect.matchEffect(files.readDirectory(path), {
        onSuccess: Effect.succeed,
        onFailure: (error) =>
          Effect.as(
            Effect.sync(() => refuse(path, "UNREADABLE", wordsOf(error))),
            []
          )
      })
      yield* Effect.forEach(names.filter(isPdf).toSorted(), (name) => addEntry(join(path, name)), { discard: true })
    } else if (type !== "File" && type !== undefined) {
      refuse(path, "NOT_A_FILE", "it is neither a file nor a folder")
    }
  }
  const named = new Set(paths.map((path) => resolve(path)))
  if (inputs.size === 0 && [...unusable.keys()].every((path) => named.has(path))) {
    const wrong = [...unusable.values()].map(({ error, file }) => `${file}: ${error?.detail ?? ""}`)
    return yield* new WrongUsage({
      message: wrong.length === 0 ? `there is no PDF in ${paths.join(", ")}` : wrong.join("; ")
    })
  }
  const found: Found = { inputs: [...inputs.values()], unusable: [...unusable.values()] }
  return found
})

export interface Named {
  readonly input: Input
  /** The name of the file in the output folder. */
  readonly out: string
  /** Another input has the name that this file would have. */
  readonly renamed: boolean
}

/** A unique name for each input; the first of several equal names is kept. Case is ignored, as some file systems ignore it. */
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

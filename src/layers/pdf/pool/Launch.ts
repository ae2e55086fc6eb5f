// How the process of a page worker, or another program of ours that works on hostile files, is started: under a memory limit,
// behind the walls that can be had, and so that it does not outlive the engine.
import type { ChildProcess } from "node:child_process"
import { spawn } from "node:child_process"
import { existsSync, lstatSync, realpathSync } from "node:fs"
import { getCompileCacheDir } from "node:module"
import { basename, dirname, join } from "node:path"
import type { Duplex, Readable } from "node:stream"
import { fileURLToPath, pathToFileURL } from "node:url"
import { channelDescriptor } from "./Channel.ts"
import { moduleBeside } from "./Protocol.ts"
import type { Sandbox } from "./Sandbox.ts"

export interface WorkerLimits {
  /** The memory that one worker may really use. */
  readonly memoryBytes: number
  readonly maxHeldDocuments: number
  /** Whether pages are read with their layouts. */
  readonly layout: boolean
}

export interface LaunchOptions extends WorkerLimits {
  readonly sandbox: Sandbox
  /** The program of the worker, if it is another than ours: it plays a worker that a hostile file has taken over. */
  readonly entry?: URL | undefined
}

/** A program of ours that runs as a child of the engine. */
export interface Program {
  /** In the list of processes. */
  readonly title: string
  readonly entry: URL
  /** What it is told, after the id of the engine's process that it has to watch (or 0) and its memory limit. */
  readonly args: ReadonlyArray<string>
  /** The packages that it loads, by the paths of their folders. */
  readonly packages: ReadonlyArray<PackageFolder>
  /** Further files and folders that it may read. */
  readonly files: ReadonlyArray<string>
  /** Whether one of its packages is native code. It gives the permission up once that is loaded. */
  readonly hasAddons: boolean
  /** 0 to 19: the higher, the more it leaves to other processes. */
  readonly niceness: number
}

export interface ProgramOptions {
  readonly program: Program
  readonly memoryBytes: number
  readonly sandbox: Sandbox
}

export interface Launched {
  readonly child: ChildProcess
  readonly channel: Duplex
  readonly stderr: Readable
  /** Ends the watch over the worker, once the worker is gone. */
  readonly release: () => void
  /** Calls back with the worker's own id, which differs from the child's if the worker has a process namespace. */
  readonly onPid: (listener: (pid: number) => void) => void
}

/** V8 reserves this much for machine code at its start and uses a few percent. The limit of the system counts it. */
const reservedBytes = 512 * 1024 * 1024

/** Where the engine holds the other end as long as it lives. */
const lifeline = channelDescriptor + 1

// Where the system's own limit is lower already, `ulimit` fails and that one holds.
//
// The reading thread of a worker may spin for ever, so it cannot be trusted to notice that its engine is gone: a process that
// waits for the end of the lifeline notices it, and kills the worker, so that no orphan burns a processor. A line on the
// lifeline means that the worker is gone already. `exec` keeps the process the same, so its id, its signals and its end are the
// worker's.
const script = `ulimit -c 0; ulimit -d "$0"
{ exec 2>/dev/null ${channelDescriptor}<&-; read -r word <&${lifeline} || kill -KILL $$; } &`

/** The worker itself has no lifeline. */
const lastly = `exec "$@" ${lifeline}<&-`

// Behind a process namespace a worker does not know the id that it has outside of it, but /proc has it.
const tellPid = `read -r pid rest </proc/self/stat; echo "$pid" >&${lifeline}; ${lastly}`

/** The thread inside a worker that notices the end of its engine and bounds its memory where the system does neither. */
const needsThread = process.platform !== "linux"

/** Without links in the path: Node would have to read them, and a worker may not. */
const here = realpathSync(import.meta.dirname)

/** A package, and the folder in which it was found. */
export interface PackageFolder {
  readonly name: string
  readonly folder: string
}

/** The folder of a package that this package can load. */
export const packageOf = (name: string): PackageFolder => {
  const path = realpathSync(fileURLToPath(import.meta.resolve(name)))
  const inside = join("node_modules", name)
  return { name, folder: path.slice(0, path.lastIndexOf(inside) + inside.length) }
}

/** The paths at which the folders above have the package. A path may be a link or below one: Node reads links on the way. */
const linksTo = (specifier: string, from: string): ReadonlyArray<string> => {
  const found: Array<string> = []
  for (let folder = from; folder !== dirname(folder); folder = dirname(folder)) {
    const modules = join(folder, "node_modules")
    if (!existsSync(join(modules, specifier))) continue
    found.push(join(modules, specifier))
    if (lstatSync(modules).isSymbolicLink()) found.push(modules)
  }
  return found
}

/** The program and what it imports; nothing of the application that it is a part of. */
const readable = ({ files, packages }: Program): ReadonlyArray<string> => {
  const sources = join(here, "../../..")
  const folders = packages.flatMap(({ folder, name }) => [folder, ...linksTo(name, here)])
  return [...new Set([sources, join(sources, "../package.json"), ...folders, ...files])]
}

const permissions = (sandbox: Sandbox, compiled: string | undefined, program: Program): ReadonlyArray<string> => {
  if (!sandbox.hasPermissions) return []
  const paths = [...readable(program), fileURLToPath(program.entry), ...(compiled === undefined ? [] : [compiled])]
  return [
    "--permission",
    // Shorter ones first: Node forgets a folder that comes after a path below it.
    ...paths.toSorted((a, b) => a.length - b.length).map((path) => `--allow-fs-read=${path}`),
    ...(compiled === undefined ? [] : [`--allow-fs-write=${compiled}`]),
    ...(needsThread ? ["--allow-worker"] : []),
    ...(program.hasAddons ? ["--allow-addons"] : [])
  ]
}

const nodeFlags = (memoryBytes: number, title: string): ReadonlyArray<string> => [
  // About a quarter: the rest is for what V8 keeps outside its heap, which is where the bytes of a PDF go.
  `--max-old-space-size=${Math.floor(memoryBytes / 4 / 1024 / 1024)}`,
  "--max-semi-space-size=16",
  "--no-warnings",
  `--title=${title}`
]

/** Compiled code is kept only where a worker cannot write it any more once it has had a document. */
const compileCache = (sandbox: Sandbox): string | undefined =>
  sandbox.hasPermissions && !sandbox.canDrop ? undefined : getCompileCacheDir()

const isDuplex = (stream: unknown): stream is Duplex =>
  typeof stream === "object" && stream !== null && "write" in stream

const readerOf = ({ entry, layout, maxHeldDocuments, memoryBytes }: LaunchOptions): Program => ({
  title: "sluice-page-worker",
  entry: entry ?? moduleBeside(pathToFileURL(join(here, basename(import.meta.filename))).href, "../worker/Worker"),
  args: [maxHeldDocuments, Math.floor(memoryBytes / 8), Number(layout)].map(String),
  packages: ["effect", "pdfjs-dist"].map(packageOf),
  files: [],
  hasAddons: false,
  // It takes its own, so that it is there sooner.
  niceness: 0
})

/** Starts a page worker. */
export const launch = (options: LaunchOptions): Launched =>
  launchProgram({ program: readerOf(options), memoryBytes: options.memoryBytes, sandbox: options.sandbox })

/** Under `nice`, and its session likewise: Linux may share processors among sessions before it looks at single processes. */
const nicely = (niceness: number, command: ReadonlyArray<string>): ReadonlyArray<string> =>
  niceness === 0 || process.platform === "win32" ? command : ["nice", "-n", String(niceness), ...command]
const sessionNice = (niceness: number): string =>
  niceness === 0 ? "" : `{ echo ${niceness} >/proc/self/autogroup; } 2>/dev/null\n`

export const launchProgram = ({ memoryBytes, program, sandbox }: ProgramOptions): Launched => {
  const compiled = compileCache(sandbox)
  const watched = needsThread ? process.pid : 0
  const command = nicely(program.niceness, [
    process.execPath,
    ...nodeFlags(memoryBytes, program.title),
    ...permissions(sandbox, compiled, program),
    fileURLToPath(program.entry),
    ...[watched, memoryBytes].map(String),
    ...program.args
  ])
  const hasOwnIds = sandbox.namespaces.includes("--pid")
  const walled =
    sandbox.namespaces.length === 0
      ? command
      : ["unshare", ...sandbox.namespaces, ...(hasOwnIds ? ["/bin/sh", "-c", tellPid, "sh"] : []), ...command]
  const kibibytes = String(Math.floor((memoryBytes + reservedBytes) / 1024))
  const [file = "", ...args] =
    process.platform === "win32"
      ? command
      : [
          "/bin/sh",
          "-c",
          `${sessionNice(program.niceness)}${script}\n${hasOwnIds ? 'exec "$@"' : lastly}`,
          kibibytes,
          ...walled
        ]
  const child = spawn(file, args, {
    // Nothing of the engine's environment, where secrets are, reaches the process that interprets hostile files.
    env: compiled === undefined ? {} : { NODE_COMPILE_CACHE: compiled },
    stdio: ["ignore", "ignore", "pipe", "pipe", "pipe"],
    // A session of its own: no signal to its own group reaches the engine, and none to the engine's group reaches it.
    detached: process.platform !== "win32",
    windowsHide: true
  })
  const [, , , channel, alive] = child.stdio
  if (child.stderr === null || !isDuplex(channel) || !isDuplex(alive)) throw new Error("the worker has no channel")
  // A write to a process that has just died fails. Its end is reported by its exit, so the failure says nothing new.
  for (const stream of [channel, alive, child.stderr]) stream.on("error", () => {})
  return {
    child,
    channel,
    stderr: child.stderr,
    release: () => alive.end("gone\n"),
    onPid: (listener) => {
      if (!hasOwnIds) {
        if (child.pid !== undefined) listener(child.pid)
        return
      }
      alive.setEncoding("latin1").once("data", (text: string) => {
        const pid = Number.parseInt(text, 10)
        if (pid > 0) listener(pid)
      })
    }
  }
}

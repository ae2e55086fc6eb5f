// How a command is started: under limits of the system, behind the walls of bubblewrap where it works, and never as root.
//
// With bubblewrap it has a file system of its own (its directory, and what of the system it may read), no network, and a process
// namespace, whose end is the end of everything that it has started. Without, it is a process group under the same limits: it
// sees the files that its user sees, reaches the network, and what it has put into a session of its own outlives it.
import { existsSync, lstatSync, readlinkSync } from "node:fs"
import type { CommandLimits } from "../../../services/pipelines/settings/CommandStageSettings.ts"
import { type Directory, nobody } from "./Directories.ts"

export interface LaunchOptions {
  readonly directory: Directory
  readonly limits: CommandLimits
  readonly reads: ReadonlyArray<string>
  readonly environment: Readonly<Record<string, string>>
  readonly isWalled: boolean
}

export interface Launch {
  readonly file: string
  readonly args: ReadonlyArray<string>
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
}

const searched = "/usr/local/bin:/usr/bin:/bin"

/** What programs commonly need of /etc and /var: fonts, names of libraries, settings of TeX and LibreOffice. No secrets. */
const commonlyRead = [
  "/etc/alternatives",
  "/etc/fonts",
  "/etc/ld.so.cache",
  "/etc/libreoffice",
  "/etc/localtime",
  "/etc/papersize",
  "/etc/texmf",
  "/var/cache/fontconfig",
  "/var/lib/libreoffice",
  "/var/lib/texmf"
]

const systemFolders = ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"]

/** The folders of programs and libraries, which are links into /usr on most systems. */
const systemArguments = (): ReadonlyArray<string> =>
  systemFolders
    .filter((path) => existsSync(path))
    .flatMap((path) =>
      lstatSync(path).isSymbolicLink() ? ["--symlink", readlinkSync(path), path] : ["--ro-bind", path, path]
    )

const insideWork = "/work"
const insideTemporary = "/tmp"

const alone = ["--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
const system = ["--proc", "/proc", "--dev", "/dev", "--ro-bind", "/usr", "/usr"]
/** What is not bound is memory: nothing may be written there. */
const lastly = ["--remount-ro", "/dev", "--remount-ro", "/", "--"]

const walls = ({ directory, reads }: LaunchOptions): ReadonlyArray<string> => {
  const own = ["--bind", directory.work, insideWork, "--bind", directory.temporary, insideTemporary]
  const readable = [...commonlyRead, ...reads].flatMap((path) => ["--ro-bind-try", path, path])
  return ["bwrap", ...alone, ...system, ...systemArguments(), ...readable, ...own, "--chdir", insideWork, ...lastly]
}

const isRoot = process.getuid?.() === 0

const asNobody = isRoot ? [`--reuid=${nobody}`, `--regid=${nobody}`, "--clear-groups"] : []

/** Ends with the engine; what it starts may not. */
const bare = ["setpriv", ...asNobody, "--no-new-privs", "--pdeathsig", "KILL"]

/** Of root, which no limit of processes holds, commands are made those of another user. */
const walled = asNobody.length === 0 ? [] : ["setpriv", ...asNobody]

/**
 * The limit of processes counts those of the user. In a namespace, or as a user of their own, that are commands alone; for a user
 * that runs more than commands it would be a limit of everything.
 */
const countsCommands = (isWalled: boolean): boolean => isWalled || isRoot

const limitArguments = ({ isWalled, limits }: LaunchOptions): ReadonlyArray<string> => {
  const seconds = Math.max(1, Math.ceil(limits.cpu / 1_000))
  return [
    "prlimit",
    `--cpu=${seconds}:${seconds + 1}`,
    `--data=${limits.memory}`,
    `--fsize=${limits.fileSize}`,
    "--core=0",
    ...(countsCommands(isWalled) ? [`--nproc=${limits.processes}`] : []),
    "--"
  ]
}

/** The path of the command's own temporary folder, as the command sees it. */
export const temporaryFor = (isWalled: boolean, { temporary }: Directory): string =>
  isWalled ? insideTemporary : temporary

/** The command with all that goes before it. */
export const launchOf = (command: ReadonlyArray<string>, options: LaunchOptions): Launch => {
  const { directory, environment, isWalled } = options
  const [file = "", ...args] = isWalled
    ? [...walled, ...walls(options), ...limitArguments(options), ...command]
    : [...bare, ...limitArguments(options), ...command]
  const temporary = temporaryFor(isWalled, directory)
  return {
    file,
    args,
    cwd: directory.work,
    // Nothing of the engine's environment, where secrets are.
    env: { PATH: searched, LANG: "C.UTF-8", HOME: temporary, TMPDIR: temporary, ...environment }
  }
}

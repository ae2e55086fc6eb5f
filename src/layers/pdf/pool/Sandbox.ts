// The walls around page workers, which interpret hostile files. Which of them the system has is tried out once, at the start.
//
// - files: Node's permission model. A worker may read its own program and nothing else: no blob, database, key or environment
//   of another process. It may write nothing, and start no program, thread or native code.
// - network: a network namespace of its own, in which there is no network.
// - signals: a process namespace of its own. The engine and other workers have no process id in it.
import { Effect, Schema } from "effect"
import { spawn } from "node:child_process"
import type { Wall } from "../../../services/PdfEngine.ts"

export const sandboxModes = ["auto", "require", "off"] as const
/** `auto` takes the walls that are available, `require` starts no worker unless all are, `off` takes none. */
export type SandboxMode = (typeof sandboxModes)[number]

/** A required wall is not available here. */
export class SandboxUnavailable extends Schema.TaggedError<SandboxUnavailable>()("SandboxUnavailable", {
  missing: Schema.String
}) {
  override get message() {
    return `SANDBOX=require, and page workers cannot be walled off from ${this.missing}; see "Page workers" in docs/security.md, or set SANDBOX=auto`
  }
}

export interface Sandbox {
  readonly walls: ReadonlyArray<Wall>
  /** Node's permission model is on. */
  readonly hasPermissions: boolean
  /** A permission can be given up, so that a worker may write compiled code until it gets its first document. */
  readonly canDrop: boolean
  /** Arguments of `unshare`; none where no namespace is available. */
  readonly namespaces: ReadonlyArray<string>
}

const network = ["--net"]
const signals = ["--pid", "--fork", "--kill-child"]
/** The first leaves no capability to the worker; the others serve where the system has no such option, and for root. */
const users: ReadonlyArray<ReadonlyArray<string>> = [
  ["--user", "--map-current-user"],
  ["--user", "--map-root-user"],
  []
]

/** Exit codes by which Node says whether it can drop permissions. */
const canDropCode = 40
const cannotDropCode = 41
const tellPermissions = `process.exit(typeof process.permission?.drop === "function" ? ${canDropCode} : ${cannotDropCode})`

interface Tried {
  readonly code: number | undefined
  readonly said: string
}

const tryMillis = 20_000

const attempt = (command: ReadonlyArray<string>): Effect.Effect<Tried> =>
  Effect.callback<Tried>((resume) => {
    const [file = "", ...args] = command
    const child = spawn(file, args, { env: {}, stdio: ["ignore", "ignore", "pipe"], windowsHide: true })
    let said = ""
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      said = (said + chunk).slice(0, 300)
    })
    child.on("error", (error) => resume(Effect.succeed({ code: undefined, said: error.message })))
    child.on("close", (code) => resume(Effect.succeed({ code: code ?? undefined, said: said.trim() })))
    return Effect.sync(() => child.kill("SIGKILL"))
  }).pipe(
    Effect.timeoutOrElse({
      duration: tryMillis,
      orElse: () => Effect.succeed({ code: undefined, said: "it took too long" })
    })
  )

const unshare = (flags: ReadonlyArray<string>) =>
  attempt(["/bin/sh", "-c", 'exec unshare "$@"', "sh", ...flags, "true"])

const succeeded = ({ code }: Tried): boolean => code === 0

/** Both together if they are available, else one at a time. */
const findNamespaces = Effect.gen(function* () {
  if (process.platform !== "linux") {
    const detail = `${process.platform} has no namespaces`
    return { namespaces: [], network: detail, signals: detail }
  }
  let refusal: string | undefined
  for (const user of users) {
    const tried = yield* unshare([...user, ...network, ...signals])
    if (succeeded(tried)) {
      return { namespaces: [...user, ...network, ...signals], network: undefined, signals: undefined }
    }
    refusal ??= tried.said
  }
  for (const user of users) {
    if (succeeded(yield* unshare([...user, ...network]))) {
      return { namespaces: [...user, ...network], network: undefined, signals: refusal }
    }
    if (succeeded(yield* unshare([...user, ...signals]))) {
      return { namespaces: [...user, ...signals], network: refusal, signals: undefined }
    }
  }
  return { namespaces: [], network: refusal, signals: refusal }
})

const wall = (name: Wall["name"], refusal: string | undefined): Wall =>
  refusal === undefined ? { name, stands: true } : { name, stands: false, detail: refusal || "the system refuses it" }

const noSandbox: Sandbox = {
  walls: (["files", "network", "signals"] as const).map((name) => wall(name, "SANDBOX=off")),
  hasPermissions: false,
  canDrop: false,
  namespaces: []
}

const find = Effect.gen(function* () {
  const [permissions, found] = yield* Effect.all(
    [attempt([process.execPath, "--permission", "--no-warnings", "-e", tellPermissions]), findNamespaces],
    { concurrency: 2 }
  )
  const hasPermissions = permissions.code === canDropCode || permissions.code === cannotDropCode
  return {
    walls: [
      wall("files", hasPermissions ? undefined : permissions.said),
      wall("network", found.network),
      wall("signals", found.signals)
    ],
    hasPermissions,
    canDrop: permissions.code === canDropCode,
    namespaces: found.namespaces
  } satisfies Sandbox
})

/** The walls of this machine; none with `off`. */
export const findSandbox = (mode: SandboxMode): Effect.Effect<Sandbox> =>
  mode === "off" ? Effect.succeed(noSandbox) : find

/** Fails where a wall is missing. */
export const requireAll = ({ walls }: Sandbox): Effect.Effect<void, SandboxUnavailable> => {
  const missing = walls.filter(({ stands }) => !stands).map(({ detail = "", name }) => `${name} (${detail})`)
  return missing.length === 0 ? Effect.void : Effect.fail(new SandboxUnavailable({ missing: missing.join(", ") }))
}

// What the walk through the package is made of: steps that are counted, and programs that are run.
import { type ChildProcess, spawn } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { performance } from "node:perf_hooks"

const hangMillis = 10 * 60_000

const counts = { passed: 0, failed: 0 }

/** Runs a step and says how it went. Returns whether it passed; what follows may make no sense otherwise. */
export const step = async (name: string, run: () => Promise<void> | void): Promise<boolean> => {
  const begun = performance.now()
  const took = () => `${((performance.now() - begun) / 1000).toFixed(1)} s`
  try {
    await run()
    counts.passed += 1
    console.log(`  ok    ${name} (${took()})`)
    return true
  } catch (error) {
    counts.failed += 1
    console.log(`  FAIL  ${name} (${took()})\n${String(error instanceof Error ? error.message : error)}`)
    return false
  }
}

/** Prints the line that counts the steps, and lets the process end accordingly. */
export const summarize = (): void => {
  console.log(`${counts.passed} passed, ${counts.failed} failed`)
  process.exitCode = counts.failed === 0 ? 0 : 1
}

export interface Ran {
  readonly code: number | null
  readonly output: string
}

export interface Options {
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
}

/** What npm tells the script that this may run in: a program below would take it for its own. Not how npm is configured. */
const ofScript = /^(npm_(lifecycle|package|command|execpath|node_execpath|config_local_prefix)|SLUICE_)/

const cleanEnvironment = () => Object.fromEntries(Object.entries(process.env).filter(([name]) => !ofScript.test(name)))

export const start = (command: ReadonlyArray<string>, { cwd, env }: Options) => {
  const [program = "", ...args] = command
  const child: ChildProcess = spawn(program, args, {
    cwd,
    env: { ...cleanEnvironment(), NO_COLOR: "1", ...env },
    stdio: ["ignore", "pipe", "pipe"]
  })
  let output = ""
  const listeners = new Set<() => void>()
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk: Buffer) => {
      output += chunk.toString()
      for (const listener of listeners) listener()
    })
  }
  const hang = setTimeout(() => child.kill("SIGKILL"), hangMillis)
  const ended = new Promise<Ran>((resolve, reject) => {
    child.once("error", reject)
    child.once("close", (code) => {
      clearTimeout(hang)
      resolve({ code, output })
    })
  })
  return {
    pid: child.pid ?? 0,
    ended,
    signal: (signal: NodeJS.Signals) => void child.kill(signal),
    /** Waits until it has printed what matches, and gives that. */
    printed: (pattern: RegExp) =>
      new Promise<string>((resolve, reject) => {
        const look = () => {
          const found = pattern.exec(output)
          if (found === null) return
          listeners.delete(look)
          resolve(found[0])
        }
        listeners.add(look)
        void ended.then(
          () => reject(new Error(`${command.join(" ")} ended without printing ${pattern}:\n${output}`)),
          reject
        )
        look()
      })
  }
}

/** Runs a program to its end. */
export const run = (command: ReadonlyArray<string>, options: Options): Promise<Ran> => start(command, options).ended

/** The same; fails with what it printed unless it ends with 0. */
export const mustRun = async (command: ReadonlyArray<string>, options: Options): Promise<string> => {
  const { code, output } = await run(command, options)
  if (code !== 0) throw new Error(`${command.join(" ")} ended with ${code}:\n${output}`)
  return output
}

/** Every TypeScript program in a Markdown file. */
export const programsIn = (markdown: string): ReadonlyArray<string> =>
  Array.from(readFileSync(markdown, "utf8").matchAll(/^```ts\n([\s\S]*?)^```$/gm), ([, program = ""]) => program)

/** The processes below this one that are alive. Only Linux tells. */
export const below = (pid: number): ReadonlyArray<number> => {
  try {
    return readdirSync(`/proc/${pid}/task`)
      .flatMap((task) => readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").split(" ").filter(Boolean))
      .map(Number)
      .flatMap((child) => [child, ...below(child)])
  } catch {
    return []
  }
}

/** Not dead, and not merely still listed because nothing has asked how it ended. */
export const isAlive = (pid: number): boolean => {
  try {
    return !/\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, "utf8"))
  } catch {
    return false
  }
}

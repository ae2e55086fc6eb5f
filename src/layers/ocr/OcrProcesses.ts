import type { SandboxMode } from "../pdf/pool/Sandbox.ts"

/** How the processes that recognise text are run. */
export interface OcrProcesses {
  /** At most so many at once. */
  readonly processes: number
  /** What each may use. */
  readonly memoryBytes: number
  /** What one image may take, in milliseconds. */
  readonly timeoutMillis: number
  readonly niceness: number
  readonly sandbox: SandboxMode
}

export const defaultProcesses: OcrProcesses = {
  processes: 1,
  memoryBytes: 400 * 1024 * 1024,
  timeoutMillis: 120_000,
  niceness: 19,
  sandbox: "auto"
}

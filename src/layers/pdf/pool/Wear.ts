import type { WorkerProcess } from "./WorkerProcess.ts"

/**
 * Shares of the memory a worker may take: from the first on it is replaced when the spare can take over, from the second on in
 * any case.
 */
const wornShare = 0.5
const exhaustedShare = 0.75

/** Whether a worker is to be replaced: `worn` if the spare can take over, `exhausted` in any case. */
export const wearOf = (
  worker: Pick<WorkerProcess, "memoryUsed" | "pagesRead">,
  recycleAfterPages: number
): "fresh" | "worn" | "exhausted" => {
  const share = worker.memoryUsed()
  if (share > exhaustedShare) return "exhausted"
  return share > wornShare || worker.pagesRead() >= recycleAfterPages ? "worn" : "fresh"
}

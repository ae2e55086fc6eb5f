// What an audit says: rows of a table. One that is beyond its bound fails the run.
import { cpus, totalmem, type } from "node:os"

export interface Finding {
  readonly what: string
  readonly found: number
  /** The bound, when there is one. */
  readonly allowed?: number
  readonly detail?: ReadonlyArray<string>
}

export const isViolated = ({ allowed, found }: Finding): boolean => allowed !== undefined && found > allowed

/** Things of which there may be none. */
export const none = (what: string, detail: ReadonlyArray<string>): Finding => ({
  what,
  found: detail.length,
  allowed: 0,
  detail
})

const mostDetails = 20

export const table = (findings: ReadonlyArray<Finding>): string =>
  [
    "| what | found | allowed | |",
    "| --- | ---: | ---: | --- |",
    ...findings.flatMap((finding) => {
      const bound = finding.allowed === undefined ? "" : finding.allowed === 0 ? "0" : `at most ${finding.allowed}`
      const row = `| ${finding.what} | ${finding.found} | ${bound} | ${isViolated(finding) ? "VIOLATED" : ""} |`
      return isViolated(finding)
        ? [row, ...(finding.detail ?? []).slice(0, mostDetails).map((line) => `    ${line}`)]
        : [row]
    })
  ].join("\n")

export const machine = `${cpus().length} processors, ${Math.round(totalmem() / 2 ** 30)} GiB, ${type()}, Node ${process.version}`

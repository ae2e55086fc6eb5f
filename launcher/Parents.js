// Lets a process end with the package manager that started it, whatever that one and its shell do with signals.
import { readFileSync } from "node:fs"

const pollMillis = 500

/** More links than any chain of scripts that call scripts has. */
const longestChain = 16

/** What /proc tells of a process. The name, in brackets, may contain anything; the fields follow the last bracket. */
const statOf = (pid) => {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8")
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ")
  return { parent: Number(fields[1]), session: Number(fields[3]) }
}

/** Whether the process was started by a package manager's script, as we were. Its environment is readable by its user only. */
const isInScript = (pid) => {
  try {
    return /(^|\0)npm_(lifecycle_event|command)=/.test(readFileSync(`/proc/${pid}/environ`, "latin1"))
  } catch {
    return false
  }
}

/**
 * The processes from our parent to the package manager, which is the first that does not have the variables that it gives to
 * its scripts. Between them are shells, which do not pass signals on, and whatever the script starts us with. Empty where we
 * have a session of our own: that was done to outlive the script. Outside of Linux only our parent is known.
 */
export const chainToManager = () => {
  const chain = [process.ppid]
  if (process.platform !== "linux") return chain
  try {
    const { session } = statOf("self")
    if (statOf(process.ppid).session !== session) return []
    for (let pid = process.ppid; isInScript(pid) && chain.length < longestChain; chain.push(pid)) {
      pid = statOf(pid).parent
      if (pid <= 1 || statOf(pid).session !== session) break
    }
  } catch {
    // One of them ended meanwhile, or is not ours to look at.
  }
  return chain
}

const isBroken = (chain) =>
  process.ppid !== chain[0] ||
  chain.slice(1).some((parent, index) => {
    try {
      return statOf(chain[index]).parent !== parent
    } catch {
      return true
    }
  })

/** Whether the script leaves us in the background, to run on when the script and its package manager have ended. */
export const isInBackground = (script) => {
  const operators = script.replace(/'[^']*'|"(?:\\.|[^"\\])*"|\\.|&&|[<>]&|&>/g, (text) =>
    /sluice/.test(text) ? "sluice" : " "
  )
  return operators.slice(operators.indexOf("sluice") + 1).includes("&")
}

/**
 * Sends this process SIGTERM once its package manager, or a process between them, is gone. Does nothing for a process that
 * was started otherwise: by a service manager, a shell, or from a shell that has ended. What is returned ends the watch: a
 * process that was told to stop must not be told again, since that would mean at once.
 */
export const endWithParent = (env = process.env) => {
  const started = env["npm_lifecycle_event"] !== undefined || env["npm_command"] !== undefined
  const chain =
    started && process.ppid > 1 && !isInBackground(env["npm_lifecycle_script"] ?? "") ? chainToManager() : []
  if (chain.length === 0) return () => {}
  const watch = setInterval(() => {
    if (!isBroken(chain)) return
    clearInterval(watch)
    process.kill(process.pid, "SIGTERM")
  }, pollMillis)
  watch.unref()
  return () => clearInterval(watch)
}

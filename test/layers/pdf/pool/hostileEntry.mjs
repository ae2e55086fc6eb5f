// What a page worker runs that fell into foreign hands: the worker as it is, and then, with its first document in hand,
// every attack in turn. It says which of them came off. The test that plants it writes `targets` and `workerUrl` above.
/* global targets, workerUrl */
import childProcess from "node:child_process"
import fs from "node:fs"
import inspector from "node:inspector"
import net from "node:net"
import threads from "node:worker_threads"

const connecting = (options) =>
  new Promise((resolve, reject) => {
    const socket = net.connect(options, () => {
      socket.destroy()
      resolve()
    })
    socket.on("error", reject)
  })

const threading = () =>
  new Promise((resolve, reject) => {
    const thread = new threads.Worker("require('node:fs').readFileSync(process.execPath)", { eval: true, execArgv: [] })
    thread.on("error", reject)
    thread.on("exit", (code) => (code === 0 ? resolve() : reject(new Error("it failed"))))
  })

const running = () => {
  const { error, status } = childProcess.spawnSync(process.execPath, ["--version"])
  if (error !== undefined || status !== 0) throw new Error("it did not run")
}

const attacks = {
  ...Object.fromEntries(
    Object.entries(targets.read).map(([name, path]) => [`read ${name}`, () => fs.closeSync(fs.openSync(path, "r"))])
  ),
  "list the blobs": () => fs.readdirSync(targets.folder),
  ...Object.fromEntries(
    Object.entries(targets.write).map(([name, path]) => [`write ${name}`, () => fs.writeFileSync(path, "hostile")])
  ),
  "read the environment": () => {
    if (!Object.values(process.env).includes(targets.secret)) throw new Error("it is not there")
  },
  "start a program": running,
  "start a thread": threading,
  "load native code": () => process.dlopen({ exports: {} }, targets.addon),
  "open the inspector": () => inspector.open(0, "127.0.0.1"),
  "connect to the network": () => connecting({ host: "127.0.0.1", port: targets.port }),
  "signal the engine": () => process.kill(targets.enginePid, 0),
  "signal the engine's group": () => process.kill(-targets.engineGroup, 0)
}

const attack = async () => {
  const cameOff = []
  const failed = []
  for (const [name, run] of Object.entries(attacks)) {
    try {
      await run()
      cameOff.push(name)
    } catch (cause) {
      // A library that is none was looked at, and so might have been loaded.
      const list = cause.code === "ERR_DLOPEN_FAILED" ? cameOff : failed
      list.push(name)
    }
  }
  const told = cameOff.length < failed.length ? `came off: ${cameOff.join()}` : `failed: ${failed.join()}`
  fs.writeSync(2, `error: ${told}.\n`)
  process.exit(1)
}

// The first thing that a worker says is that it is ready, and the second is of a document: that is when it is taken over.
const { write } = net.Socket.prototype
let writes = 0
net.Socket.prototype.write = function (...args) {
  if (this === process.stderr || ++writes === 1) return write.apply(this, args)
  if (writes === 2) setImmediate(attack)
  return true
}
await import(workerUrl)

/**
 * Adds to a profile of system calls what page workers need for their walls: namespaces of users, networks and processes, and no
 * other. Takes the default profile of your container runtime:
 *
 *     node deploy/seccomp.js default.json > sluice.json
 */
import { readFileSync } from "node:fs"

/** All flags of `unshare` but CLONE_NEWUSER, CLONE_NEWNET and CLONE_NEWPID have to be absent. */
const allowed = 0x10000000 | 0x40000000 | 0x20000000
/** Flags that the rule of the default profile looks at: all kinds of namespaces. */
const namespaces = 0x7e020080

const rule = {
  names: ["unshare"],
  action: "SCMP_ACT_ALLOW",
  args: [{ index: 0, value: (namespaces & ~allowed) >>> 0, valueTwo: 0, op: "SCMP_CMP_MASKED_EQ" }]
}

const [, , file] = process.argv
if (file === undefined) {
  console.error("node deploy/seccomp.js DEFAULT_PROFILE > sluice.json")
  process.exit(2)
}
const profile = JSON.parse(readFileSync(file, "utf8"))
if (!Array.isArray(profile.syscalls)) {
  console.error(`${file} is no profile of system calls: it has no list "syscalls"`)
  process.exit(1)
}
console.log(JSON.stringify({ ...profile, syscalls: [...profile.syscalls, rule] }, null, 2))

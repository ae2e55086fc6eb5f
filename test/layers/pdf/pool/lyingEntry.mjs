// A page worker that is ready, and answers its first call with a lie. The test that plants it writes `lie` and `channelUrl` above.
/* global lie, channelUrl */
import fs from "node:fs"
import net from "node:net"

const { frame, FrameReader } = await import(channelUrl)
const channel = new net.Socket({ fd: 3, readable: true, writable: true })
channel.on("error", () => process.exit(1))
channel.on("close", () => process.exit(1))

const page = {
  number: 1,
  status: "ok",
  width: 595,
  height: 842,
  rotation: 0,
  text: "text",
  lines: "[]",
  error: undefined,
  elapsedMillis: 1
}
const opened = {
  pageCount: 1,
  metadata: { encrypted: false, hasJavaScript: false, hasAttachments: false, hasForms: false, hasXfa: false },
  outline: []
}
const done = (call, results) => ({
  _tag: "Ended",
  call,
  outcome: { _tag: "Done", results },
  timing: undefined,
  rssBytes: 1,
  held: []
})
const pages = (call, ...results) => ({ _tag: "Pages", call, results })
const nested = () => {
  let value = {}
  for (let depth = 0; depth < 3_000; depth++) value = { value }
  return value
}

/** What is sent of a call, each as a message or, if it is bytes, as it is. */
const lies = {
  "nothing but the truth": (call) => [done(call, [page])],
  "a null": () => [null],
  "a text": () => ["Ended"],
  "a list": () => [[]],
  "an unknown tag": (call) => [{ _tag: "Read", call }],
  "the tag of a command": (call) => [{ _tag: "Start", call }],
  "a nested nothing": () => [nested()],
  "what Node means by a handle": () => [{ cmd: "NODE_HANDLE", type: "net.Nothing" }],
  "that it is ready, again": () => [{ _tag: "Ready", rssBytes: 1 }],
  "a page without text": (call) => [pages(call, { ...page, text: undefined })],
  "a page whose text is an object": (call) => [pages(call, { ...page, text: { length: 1 } })],
  "a page whose number is a text": (call) => [pages(call, { ...page, number: "1" })],
  "a page of no width": (call) => [pages(call, { ...page, width: Number.NaN })],
  "a page of an unknown status": (call) => [pages(call, { ...page, status: "good" })],
  "a page with an unknown error": (call) => [pages(call, { ...page, error: { code: "?", message: "", advice: "" } })],
  "a page whose lines are none": (call) => [pages(call, { ...page, lines: "no" })],
  "a page whose layout is an object": (call) => [pages(call, { ...page, layout: { length: 1 } })],
  "a page whose layout is of other numbers": (call) => [pages(call, { ...page, layout: new Float64Array(1) })],
  "a page whose layout is too long": (call) => [pages(call, { ...page, layout: new Uint8Array(6 * 1024 * 1024) })],
  "a page that is null": (call) => [pages(call, null)],
  "pages that are no list": (call) => [{ _tag: "Pages", call, results: { 0: page, length: 1 } }],
  "a page that was not asked for": (call) => [pages(call, { ...page, number: 2 })],
  "a page twice": (call) => [pages(call, page, page)],
  "a page, and again at the end": (call) => [pages(call, page), done(call, [page])],
  "that it opened what it was to read": (call) => [{ _tag: "Opened", call, opened }],
  "the end of another call": (call) => [done(call + 1, [])],
  "the end of no call": () => [done(undefined, [])],
  "its end twice": (call) => [done(call, [page]), done(call, [page])],
  "an end without an outcome": (call) => [{ ...done(call, []), outcome: undefined }],
  "an end with an unknown outcome": (call) => [{ ...done(call, []), outcome: { _tag: "Good" } }],
  "an end that holds no list": (call) => [{ ...done(call, []), held: null }],
  "an end with numbers for keys": (call) => [{ ...done(call, []), held: [1] }],
  "a failure of no code": (call) => [{ ...done(call, []), outcome: { _tag: "Unreadable", failure: { code: "NONE" } } }],
  "that it has lost what it was given": (call) => [{ ...done(call, []), outcome: { _tag: "NotHeld" } }],
  "bare garbage": () => [Buffer.alloc(100, 0xff)],
  "a message that is none": () => [Buffer.from([0, 0, 0, 4, 1, 2, 3, 4])],
  "a message that breaks off within itself": () => [frame(page).fill(0x22, 8)],
  "a message longer than any": () => [Buffer.from([0xff, 0xff, 0xff, 0xff]), Buffer.alloc(1024 * 1024)],
  "a page that is too long": (call) => [pages(call, { ...page, text: "x".repeat(17 * 1024 * 1024) })],
  "much to its standard error": () => {
    for (let n = 0; n < 40; n++) fs.writeSync(2, "x".repeat(60 * 1024))
    return []
  }
}

const reader = new FrameReader(Number.POSITIVE_INFINITY, ({ _tag, call }) => {
  if (_tag !== "Start") return
  for (const said of lies[lie](call)) channel.write(Buffer.isBuffer(said) ? said : frame(said))
})
channel.on("data", (chunk) => reader.push(chunk))
channel.write(frame({ _tag: "Ready", rssBytes: 1 }))

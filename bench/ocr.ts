import { readdirSync, readFileSync } from "node:fs"
import { availableParallelism } from "node:os"
import { Clock, Effect, Layer, References, Stream } from "effect"
import { PipelineName } from "../src/domain/pipeline/Pipeline.ts"
import { Ingestion, layerMemory } from "../src/index.ts"
import { toPage } from "../src/layers/ocr/OcrPage.ts"
import * as OcrStages from "../src/layers/ocr/OcrStages.ts"
import { localDownstreams } from "../src/layers/config/OcrConfig.ts"
import { Ocr } from "../src/services/Ocr.ts"
import { PageImages } from "../src/services/PageImages.ts"
import { PdfEngine } from "../src/services/PdfEngine.ts"
import { characterErrorRate, type Scan, scansPdf } from "../test/support/scans.ts"
import { tenantOf } from "./load.ts"
import { prosePdf, type Report } from "./material.ts"

const archive = tenantOf("archive")
const reader = tenantOf("reader")
const dpi = 200
const a4 = { width: 595, height: 842 }
const languages = ["eng"]

const engine = layerMemory({
  workers: availableParallelism(),
  downstreams: localDownstreams({ images: true, ocr: 1 })
}).pipe(Layer.provideMerge(Layer.succeed(References.MinimumLogLevel, "Error")))

/** Of the processes with this title: processor seconds so far, and the most memory that one of them had, in bytes. */
const processesOf = (title: string) => {
  let seconds = 0
  let peakBytes = 0
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      if (!readFileSync(`/proc/${pid}/cmdline`, "latin1").startsWith(title)) continue
      const stat = readFileSync(`/proc/${pid}/stat`, "latin1")
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
      seconds += (Number(fields[11]) + Number(fields[12])) / 100
      const status = readFileSync(`/proc/${pid}/status`, "latin1")
      peakBytes = Math.max(peakBytes, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024)
    } catch {
      // It has ended meanwhile.
    }
  }
  return { seconds, peakBytes }
}

let files = 0

const drawn = Effect.fnUntraced(function* (bytes: Uint8Array, page: number) {
  const images = yield* PageImages
  const pdf = { key: `bench${++files}`, location: { _tag: "Bytes", bytes }, password: undefined } as const
  return yield* images.render(pdf, page, { size: { dpi }, format: "grey" }, { tenant: reader, class: "online" })
})

/** Pages of known text are drawn, put into a PDF as images, drawn from there, and recognised. */
const accuracy = (name: "tesseract.js" | "tesseract", rounds: number) =>
  Effect.gen(function* () {
    const source = prosePdf(rounds, 7)
    const pdf = yield* PdfEngine
    const ocr = yield* Ocr
    const errors: Array<number> = []
    const seconds: Array<number> = []
    const walls: Array<number> = []
    for (let page = 1; page <= rounds; page++) {
      const [truth] = yield* Stream.runCollect(
        pdf.read({ key: `truth${++files}`, location: { _tag: "Bytes", bytes: source }, password: undefined }, [page], 1)
      )
      const image = yield* drawn(scansPdf([{ image: yield* drawn(source, page), ...a4 }]), 1)
      const before = processesOf("sluice-ocr").seconds
      const began = yield* Clock.currentTimeMillis
      const reading = yield* ocr.recognise(image, { languages, dpi })
      walls.push(((yield* Clock.currentTimeMillis) - began) / 1_000)
      seconds.push(processesOf("sluice-ocr").seconds - before)
      errors.push(
        100 * characterErrorRate(truth?.text ?? "", toPage(reading, a4, image.width, true)?.reading.text ?? "")
      )
    }
    const { peakBytes } = processesOf("sluice-ocr")
    const report: Report = [
      { name: `${name}: wrong characters`, unit: "%", figures: errors },
      { name: `${name}: time of a page`, unit: "s", figures: walls },
      // The command is a new process for each page, and gone when it could be asked.
      ...(name === "tesseract.js"
        ? [
            { name: `${name}: processor time of a page`, unit: "s", figures: seconds },
            { name: `${name}: peak memory of its process`, unit: "MiB", figures: [peakBytes / 2 ** 20] }
          ]
        : [])
    ]
    return report
  }).pipe(
    Effect.provide(OcrStages.layer({ engine: name, languages, niceness: 0 })),
    Effect.catchTag("OcrUnavailable", () => Effect.succeed<Report>([]))
  )

const textPages = 600
const scannedPages = 30

/** Seconds until a text file of one tenant is read: alone, and while the scan of another tenant is being recognised. */
const beside = Effect.fnUntraced(function* (rounds: number) {
  const ingestion = yield* Ingestion
  const scan: Scan = { image: yield* drawn(prosePdf(1, 3), 1), ...a4 }
  const scans = scansPdf(Array.from({ length: scannedPages }, () => scan))
  const read = Effect.fnUntraced(function* (salt: number) {
    const bytes = prosePdf(textPages, salt)
    const began = yield* Clock.currentTimeMillis
    const { id } = yield* ingestion.submit(reader, bytes, { name: "text.pdf" })
    yield* Stream.runDrain(ingestion.follow(reader, id))
    const seconds = ((yield* Clock.currentTimeMillis) - began) / 1_000
    yield* ingestion.remove(reader, id)
    return seconds
  })
  const besideScan = Effect.fnUntraced(function* (salt: number) {
    const pipeline = PipelineName.make("ocr")
    const { id } = yield* ingestion.submit(archive, scans, { name: "scan.pdf", pipeline })
    // From its first page on, both of its processes are at work.
    yield* ingestion.follow(archive, id).pipe(
      Stream.takeUntil(({ _tag }) => _tag === "PageDone"),
      Stream.runDrain
    )
    const seconds = yield* read(salt)
    const { progress } = yield* ingestion.status(archive, id)
    yield* ingestion.remove(archive, id)
    return { seconds, done: progress.done }
  })
  yield* read(0)
  const ratios: Array<number> = []
  const alone: Array<number> = []
  const done: Array<number> = []
  for (let round = 1; round <= rounds; round++) {
    const before = yield* read(4 * round)
    const with_ = yield* besideScan(4 * round + 1)
    const after = yield* read(4 * round + 2)
    alone.push(before, after)
    done.push(with_.done)
    ratios.push((2 * with_.seconds) / (before + after))
  }
  const report: Report = [
    { name: `${textPages} pages of text alone`, unit: "s", figures: alone },
    { name: `beside a scan of ${scannedPages} pages`, unit: "times", figures: ratios },
    { name: "pages of the scan recognised meanwhile", unit: "pages", figures: done }
  ]
  return report
})

/** The recognition alone, at the bench's own priority. */
export const ocrAccuracy = (rounds: number) =>
  Effect.gen(function* () {
    return [...(yield* accuracy("tesseract.js", rounds)), ...(yield* accuracy("tesseract", rounds))]
  }).pipe(Effect.provide(engine), Effect.scoped)

/** As the engine runs it. */
export const ocrBeside = (rounds: number) => beside(rounds).pipe(Effect.provide(engine), Effect.scoped)

import { Effect, Layer, Stream } from "effect"
import { PdfEngine } from "../../services/PdfEngine.ts"

const unused = Effect.die(new Error("this process reads no pages"))

/** For a process that runs no documents. */
export const layer = Layer.succeed(PdfEngine, {
  capacity: 0,
  ready: () => 0,
  onReady: () => Effect.void,
  open: () => unused,
  read: () => Stream.fromEffect(unused),
  close: () => Effect.void,
  status: Effect.succeed({ workers: [], replaced: 0 })
})

import { Effect, Option, Stdio } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { SluiceClient } from "../../../client.ts"
import { reported, WrongUsage } from "../../CommandFailure.ts"
import { connected, connection, documentId, pdfPassword } from "../../Connection.ts"
import { outFlag, writeOut } from "../../Output.ts"

export const image = Command.make(
  "image",
  {
    id: documentId,
    page: Argument.Int("page").pipe(
      Argument.withDescription("The page, from 1 on"),
      Argument.filter(
        (number) => number > 0,
        () => "a page, from 1 on"
      )
    ),
    dpi: Flag.Int("dpi").pipe(Flag.withDescription("Dots per inch; 150 otherwise"), Flag.optional),
    format: Flag.Literals("format", ["png", "webp"]).pipe(
      Flag.withDescription("Of the image"),
      Flag.withDefault("png")
    ),
    out: outFlag,
    ...connection
  },
  Effect.fnUntraced(
    function* ({ dpi, format, id, out, page }) {
      if (Option.isNone(out) && (yield* Stdio.Stdio.use(({ stdoutIsTerminal }) => stdoutIsTerminal)))
        return yield* new WrongUsage({ message: "an image is not for a terminal: name a file with --out" })
      const sluice = yield* SluiceClient
      const { bytes } = yield* sluice.image(id, page, {
        format,
        dpi: Option.getOrUndefined(dpi),
        password: yield* pdfPassword
      })
      yield* writeOut(out, bytes)
    },
    connected,
    reported
  )
).pipe(
  Command.withDescription(
    "Writes a page as an image. A password that the file needs is taken from SLUICE_PDF_PASSWORD."
  ),
  Command.withExamples([{ command: "sluice image 01a207b0-622e-7327-b679-1bc44ce43310 3 --dpi 96 --out page-3.png" }])
)

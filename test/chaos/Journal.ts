// What the server said of the pages it read, over all of its lives, set against what was durable when it was killed.
import { Schema } from "effect"
import { cpSync, existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { LogLine } from "./server.ts"

const decodeLine = Schema.decodeUnknownOption(LogLine)
const decodeStarted = Schema.decodeUnknownOption(
  Schema.Struct({ "document.id": Schema.String, pages: Schema.Array(Schema.Int) })
)
const decodeEnded = Schema.decodeUnknownOption(Schema.Struct({ end: Schema.String, unfinished: Schema.Int }))

export interface StoredPage {
  readonly document: string
  readonly number: number
}

/** Looks into a copy of the database: the look itself must not change what the next server finds. */
export const lookInto = <A>(directory: string, look: (database: DatabaseSync) => A): A => {
  const copy = mkdtempSync(join(tmpdir(), "sluice-look-"))
  try {
    for (const name of ["sluice.db", "sluice.db-wal"]) {
      if (existsSync(join(directory, name))) cpSync(join(directory, name), join(copy, name))
    }
    const database = new DatabaseSync(join(copy, "sluice.db"))
    try {
      return look(database)
    } finally {
      database.close()
    }
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

const durablePages = (directory: string): ReadonlySet<string> =>
  lookInto(directory, (database) => {
    const rows = database
      .prepare("SELECT documents.id AS document, number FROM pages JOIN documents ON documents.seq = pages.document")
      .all()
    return new Set(rows.map((row) => keyOf(String(row["document"]), Number(row["number"]))))
  })

const keyOf = (document: string, page: number) => `${document} ${page}`

export class Journal {
  /** How often reading each page was begun. */
  readonly #begun = new Map<string, { readonly page: StoredPage; times: number }>()
  /** Begun in the present life of the server. */
  #inHand = new Map<string, StoredPage>()
  #durable: ReadonlySet<string> = new Set()
  /** Pages that were durable when the server was killed, and were read again all the same. */
  readonly readAgain: Array<string> = []
  /** Pages in flight when the server was killed. */
  readonly lostWithServers: Array<StoredPage> = []
  /** Kills of the server that met pages in flight. */
  killsAtWork = 0
  /** Pages that a dead worker, or one that had to be stopped, left unread. */
  lostWithWorkers = 0

  hear(text: string): void {
    if (!text.startsWith("{")) return
    const line = decodeLine(text)
    if (line._tag === "None") return
    const { annotations, message } = line.value
    if (message === "range started") {
      const started = decodeStarted(annotations)
      if (started._tag === "Some") this.#begin(started.value["document.id"], started.value.pages)
    }
    if (message === "range ended") {
      const ended = decodeEnded(annotations)
      if (ended._tag === "Some") this.lostWithWorkers += ended.value.unfinished
    }
  }

  /** To be called between the end of one life of the server and the beginning of the next. */
  settle(directory: string): void {
    this.#durable = durablePages(directory)
    const lost = [...this.#inHand].flatMap(([key, page]) => (this.#durable.has(key) ? [] : [page]))
    this.lostWithServers.push(...lost)
    if (lost.length > 0) this.killsAtWork++
    this.#inHand = new Map()
  }

  #begin(document: string, pages: ReadonlyArray<number>): void {
    for (const number of pages) {
      const key = keyOf(document, number)
      const page = { document, number }
      const begun = this.#begun.get(key) ?? { page, times: 0 }
      begun.times++
      this.#begun.set(key, begun)
      this.#inHand.set(key, page)
      if (this.#durable.has(key)) this.readAgain.push(key)
    }
  }

  /** Pages, among those chosen, whose reading was begun, and how often that happened in all. */
  reads(choose: (page: StoredPage) => boolean): { readonly pages: number; readonly begun: number } {
    const chosen = [...this.#begun.values()].filter(({ page }) => choose(page))
    return { pages: chosen.length, begun: chosen.reduce((total, { times }) => total + times, 0) }
  }
}

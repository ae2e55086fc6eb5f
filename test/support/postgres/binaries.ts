import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"

/** Debian keeps the programs of each release in a folder of their own. */
const debian = "/usr/lib/postgresql"

const newest = (): ReadonlyArray<string> =>
  existsSync(debian)
    ? readdirSync(debian)
        .toSorted((a, b) => Number(b) - Number(a))
        .map((release) => join(debian, release, "bin"))
    : []

/** The folder with `initdb` and `postgres`, if they are installed. */
export const postgresBinaries: string | undefined = [...newest(), ...(process.env["PATH"] ?? "").split(":")].find(
  (folder) => existsSync(join(folder, "initdb")) && existsSync(join(folder, "postgres"))
)

export const withoutPostgres = "Postgres is not installed (Debian: apt-get install postgresql), so this is skipped"

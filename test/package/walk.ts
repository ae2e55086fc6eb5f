/**
 * The package as an application gets it: packed, installed into an empty folder beside effect, type-checked, embedded, used by
 * its client, and served. Packages come from the npm registry; where that cannot be reached, the step says so and fails.
 *
 *     npm run package-walk
 */
import assert from "node:assert/strict"
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { below, isAlive, mustRun, programsIn, run, start, step, summarize } from "./steps.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))
const work = mkdtempSync(join(tmpdir(), "sluice-package-"))
const app = join(work, "app")
const bin = (name: string) => join(app, "node_modules/.bin", name)

const versionOf = (name: string): string =>
  JSON.parse(readFileSync(join(root, "node_modules", name, "package.json"), "utf8")).version
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
const peers = ["effect", "@effect/platform-node", "@effect/opentelemetry"]
const withVersions = (names: ReadonlyArray<string>) => names.map((name) => `${name}@${versionOf(name)}`)

const install = (cwd: string, ...args: ReadonlyArray<string>) =>
  run(["npm", "install", "--no-audit", "--no-fund", "--loglevel=error", ...args], { cwd })

const makeFolder = (name: string) => {
  const folder = join(work, name)
  mkdirSync(folder)
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "an-application", private: true, type: "module" }))
  return folder
}

let tarball = ""

const pack = async () => {
  const printed = await mustRun(["npm", "pack", "--json", "--loglevel=error", "--pack-destination", work], {
    cwd: root
  })
  const [{ filename, files }] = JSON.parse(printed.slice(printed.indexOf("[\n")))
  tarball = join(work, filename)
  assert.equal(filename, `sluice-${version}.tgz`)
  const paths: ReadonlyArray<string> = files.map(({ path }: { readonly path: string }) => path)
  const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" }).filter((path) =>
    path.endsWith(".ts")
  )
  const expected = [
    ...sources.flatMap((path) => [`dist/${path.slice(0, -3)}.js`, `dist/${path.slice(0, -3)}.d.ts`]),
    ...["dashboard", "dashboards", "deploy", "docs", "launcher"].flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: "utf8", withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(root.length))
    ),
    "sluice.js",
    "README.md",
    "SECURITY.md",
    "LICENSE",
    "package.json",
    "examples/welcome.pdf"
  ]
  assert.deepEqual(
    expected.filter((path) => !paths.includes(path)),
    [],
    "missing"
  )
  assert.deepEqual(
    paths.filter((path) => /^(test|src|bench|node_modules)\//.test(path)),
    [],
    "not for users"
  )
  // Nothing that an earlier build left behind.
  const built = paths.filter((path) => path.startsWith("dist/") && path.endsWith(".js"))
  assert.deepEqual(
    built.filter((path) => !expected.includes(path)),
    []
  )
}

const installApp = async () => {
  makeFolder("app")
  const { code, output } = await install(app, tarball, ...withVersions([...peers, "typescript", "@types/node"]))
  if (code !== 0) throw new Error(`what it needs cannot be had from the npm registry:\n${output}`)
  const copies = readdirSync(join(app, "node_modules"), { recursive: true, encoding: "utf8" })
  for (const name of ["effect", "@effect/platform-node", "@effect/opentelemetry"]) {
    assert.deepEqual(
      copies.filter((path) => `/${path}`.endsWith(`/${name}/package.json`)),
      [`${name}/package.json`]
    )
  }
}

/** The programs of the documentation, as they stand there; the port alone is another. */
const writePrograms = () => {
  const found = [
    join(root, "README.md"),
    ...readdirSync(join(root, "docs"), { encoding: "utf8" })
      .filter((name) => name.endsWith(".md"))
      .map((name) => join(root, "docs", name))
  ].flatMap(programsIn)
  assert.ok(found.length >= 2)
  for (const [index, program] of found.entries()) writeFileSync(join(app, `program${index}.ts`), program)
  const embedding = found.findIndex((program) => program.includes('from "sluice"'))
  const client = found.findIndex((program) => program.includes('from "sluice/client"'))
  assert.ok(embedding >= 0 && client >= 0)
  cpSync(join(app, "node_modules/sluice/examples/report.pdf"), join(app, "report.pdf"))
  return { embedding: `program${embedding}.ts`, client: `program${client}.ts` }
}

const typeCheck = async (module: string, moduleResolution: string) => {
  writeFileSync(
    join(app, "tsconfig.json"),
    JSON.stringify({
      compilerOptions: {
        target: "es2024",
        lib: ["es2024", "dom", "esnext.disposable"],
        types: ["node"],
        module,
        moduleResolution,
        strict: true,
        exactOptionalPropertyTypes: true,
        noEmit: true,
        skipLibCheck: false
      },
      include: ["*.ts"]
    })
  )
  await mustRun([bin("node"), bin("tsc"), "-p", "."], { cwd: app })
}

const embed = async (program: string) => {
  const output = await mustRun([bin("node"), program], { cwd: app })
  assert.match(output, /PageDone/)
  assert.match(output, /completed/)
}

const listMaterials = async () => {
  const bill = JSON.parse(await mustRun(["npm", "run", "--silent", "sbom"], { cwd: root }))
  const names: ReadonlyArray<string> = bill.components.map((each: { readonly "bom-ref": string }) => each["bom-ref"])
  for (const name of withVersions([...peers, "pdfjs-dist", "@opentelemetry/api"])) assert.ok(names.includes(name), name)
  for (const name of withVersions(["vitest", "typescript"])) assert.ok(!names.includes(name), name)
}

const get = async (url: string) => {
  const answer = await fetch(url)
  assert.equal(answer.status, 200, url)
  return answer
}

const useServer = async (url: string, client: string) => {
  const dashboard = await fetch(`${url}/`, { headers: { accept: "text/html" } })
  assert.match(await dashboard.text(), /<title>/)
  const upload = await fetch(`${url}/v1/documents?name=welcome.pdf`, {
    method: "POST",
    headers: { "content-type": "application/pdf" },
    body: readFileSync(join(app, "node_modules/sluice/examples/welcome.pdf"))
  })
  assert.equal(upload.status, 202)
  const id: unknown = JSON.parse(await upload.text()).documents[0].id
  // The answer begins at once, and ends when there is a page.
  await (await get(`${url}/v1/documents/${id}/pages?wait=60s`)).text()
  const page = JSON.parse(await (await get(`${url}/v1/documents/${id}/pages/1`)).text())
  assert.equal(page.status, "ok")
  assert.match(page.text, /everything works/)
  const source = readFileSync(join(app, client), "utf8")
  assert.ok(source.includes("http://127.0.0.1:3000"))
  writeFileSync(join(app, client), source.replace("http://127.0.0.1:3000", url))
  assert.match(await mustRun([bin("node"), client], { cwd: app }), /page 12 of 12/)
  const status = JSON.parse(
    await mustRun([bin("sluice"), "status", "--all", "--json", "--url", url], { cwd: app, env: { PATH: path } })
  )
  assert.deepEqual([status.total_processed, status.total_failed], [2, 0])
}

const path = `${join(app, "node_modules/.bin")}:${process.env["PATH"] ?? ""}`

/** Starts the server, uses it, stops it, and looks for what it left behind. */
const serve = async (command: ReadonlyArray<string>, use: (url: string) => Promise<void>) => {
  const data = mkdtempSync(join(work, "data-"))
  const server = start(command, { cwd: app, env: { DATA_DIR: data, PORT: "0", PAGE_WORKERS: "1", PATH: path } })
  try {
    const url = (await server.printed(/listens on http:\/\/127\.0\.0\.1:\d+/)).slice("listens on ".length)
    const processes = below(server.pid)
    assert.ok(process.platform !== "linux" || processes.length > 0)
    await use(url)
    server.signal("SIGTERM")
    // Not before everything that could print has ended.
    await server.ended
    // The system ends workers with the namespaces that they are in, which may take a moment.
    const left = () => [server.pid, ...processes].filter(isAlive)
    for (const end = Date.now() + 10_000; left().length > 0 && Date.now() < end;)
      await new Promise((resolve) => setTimeout(resolve, 20))
    assert.deepEqual(left(), [], "processes that are left")
    await assert.rejects(fetch(`${url}/health/live`), "the port is still served")
  } finally {
    server.signal("SIGKILL")
  }
}

const refuseOlder = async () => {
  const folder = makeFolder("older")
  const { code, output } = await install(folder, tarball, "effect@4.0.6")
  assert.notEqual(code, 0)
  assert.match(output, /ERESOLVE/)
  assert.match(output, /">=4\.1\.0 <4\.2\.0" from sluice@/)
}

/** Two copies that an application can still come by: here its own folder has one, and the folder above another. */
const refuseSecondCopy = async () => {
  const folder = join(app, "inner")
  mkdirSync(join(folder, "node_modules"), { recursive: true })
  cpSync(join(app, "node_modules/effect"), join(folder, "node_modules/effect"), { recursive: true })
  for (const [name, layer] of [
    ["embedded.ts", 'import { Ingestion as Service, layerMemory } from "sluice"\nconst layer = layerMemory()'],
    [
      "client.ts",
      'import { SluiceClient as Service } from "sluice/client"\nconst layer = Service.layer({ baseUrl: "http://127.0.0.1:1" })'
    ]
  ] as const) {
    writeFileSync(
      join(folder, name),
      `import { Effect } from "effect"\n${layer}\nawait Effect.runPromise(Effect.provide(Effect.asVoid(Service), layer))\n`
    )
    const { code, output } = await run([bin("node"), name], { cwd: folder })
    assert.notEqual(code, 0, output)
    assert.match(output, /two copies of effect/)
  }
}

/** An install by force, with a version that comes after those that were tested. */
const refuseForced = async () => {
  const manifest = join(app, "node_modules/effect/dist/internal/version.js")
  const source = readFileSync(manifest, "utf8")
  writeFileSync(manifest, source.replace(/"4\.1\.\d+"/, '"4.2.0"'))
  for (const command of [
    [bin("node"), "program0.ts"],
    [bin("sluice"), "status"]
  ]) {
    const { code, output } = await run(command, { cwd: app, env: { PATH: path } })
    assert.notEqual(code, 0)
    assert.match(output, /sluice works with effect >=4\.1\.0 <4\.2\.0, but effect 4\.2\.0 was loaded/)
  }
  writeFileSync(manifest, source)
}

const walk = async () => {
  console.log(`The package, in ${work}`)
  if (!(await step("build and pack: all that belongs into it, and nothing else", pack))) return
  if (!(await step("install it into an empty folder: one copy of effect", installApp))) return
  let programs = { embedding: "", client: "" }
  await step("take the programs out of the documentation", () => {
    programs = writePrograms()
  })
  await step("type-check them, libraries too, as Node resolves modules", () => typeCheck("nodenext", "nodenext"))
  await step("the same as a bundler does", () => typeCheck("esnext", "bundler"))
  await step("run the embedding program: a PDF is read", () => embed(programs.embedding))
  await step("sluice --version says that of the package", async () => {
    assert.equal(await mustRun([bin("sluice"), "--version"], { cwd: app, env: { PATH: path } }), `sluice v${version}\n`)
  })
  await step("the bill of materials names what it needs, and nothing of what it is developed with", listMaterials)
  await step("npx sluice: dashboard, upload, page, client, status; SIGTERM to npx leaves no process", () =>
    serve(["npx", "--no", "sluice"], (url) => useServer(url, programs.client))
  )
  await step("sluice serve: SIGTERM leaves no process", () => serve([bin("sluice"), "serve"], async () => {}))
  await step("npm refuses an application's older effect", refuseOlder)
  await step("a second copy of effect is refused", refuseSecondCopy)
  await step("a newer effect that was installed by force is refused", refuseForced)
}

try {
  await walk()
} finally {
  if (existsSync(work)) rmSync(work, { recursive: true, force: true })
}
summarize()

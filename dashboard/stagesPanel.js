// What the stages of a document's pipeline have made, and what they failed to do.
import { api, Problem } from "./api.js"
import { h, pill, say } from "./dom.js"
import { bytes, plural, sentences } from "./words.js"

/** @typedef {import("./types.d.ts").Document} Document */
/** @typedef {import("./types.d.ts").Artifact} Artifact */

/** Saves it under a name that says what it is: what a stage made is never shown as a page. @param {Artifact} artifact */
const download = async ({ links, page, stage, version }) => {
  if (links.content === undefined) return
  const { blob, name } = await api.content(links.content)
  const url = URL.createObjectURL(blob)
  h("a", {
    href: url,
    download: name ?? `${page === undefined ? "document" : `page-${page}`}.${stage}-${version}`
  }).click()
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}

/** One artifact, with its content to be had or why there is none. @param {Artifact} artifact @param {(problem: unknown) => void} complain */
export const artifactRow = (artifact, complain) => {
  const { error, size, stage, status, version } = artifact
  const title = h("b", null, `${stage} ${version}`)
  if (status !== "done") {
    return h(
      "li",
      null,
      title,
      pill(status === "failed" ? "failed" : "partial"),
      error === undefined ? status : h("span", null, h("code", null, error.code), ` ${sentences(error.message)}`)
    )
  }
  const save = h("button", { type: "button", class: "link" }, `Download ${stage}, ${bytes(size)}`)
  save.addEventListener("click", () => void download(artifact).catch(complain))
  return h("li", null, title, save)
}

/** @param {NonNullable<Document["stages"]>[number]} stage */
const countsOf = ({ done, failed, kind, skipped }) =>
  [
    kind === "page" ? plural(done, "page") : done > 0 ? "done" : "",
    failed === 0 ? "" : `${failed.toLocaleString("en")} failed`,
    skipped === 0 ? "" : `${skipped.toLocaleString("en")} skipped`
  ]
    .filter((part) => part !== "")
    .join(", ")

/** @param {string} id @param {AbortSignal} signal @param {{ complain: (problem: unknown) => void, onChange: () => void }} around */
export const makeStagesPanel = (id, signal, { complain, onChange }) => {
  const pipeline = h("p", { class: "muted" })
  const list = h("ul", { class: "stages" })
  const made = h("ul", { class: "artifacts", "aria-label": "What stages made of the document as a whole" })
  const element = h(
    "section",
    { class: "card", "aria-labelledby": "stages-title", hidden: true },
    h("h2", { id: "stages-title" }, "Stages"),
    pipeline,
    list,
    made
  )
  let shown = ""
  return {
    element,
    /** @param {Document} document */
    show(document) {
      const { pipeline: name, stages = [] } = document
      element.hidden = name === "text"
      if (element.hidden) return
      say(pipeline, `Pipeline ${name}`)
      const text = JSON.stringify(stages)
      if (text === shown) return
      shown = text
      onChange()
      list.replaceChildren(
        ...(stages.length === 0
          ? [h("li", { class: "muted" }, "No stage has made anything yet.")]
          : stages.map((stage) =>
              h(
                "li",
                null,
                h("b", null, `${stage.stage} ${stage.version}`),
                h("span", { class: stage.failed > 0 ? "bad" : "muted" }, countsOf(stage))
              )
            ))
      )
      api.artifacts(id, 0, signal).then(
        ({ artifacts }) => made.replaceChildren(...artifacts.map((artifact) => artifactRow(artifact, complain))),
        (problem) => problem instanceof Problem && complain(problem)
      )
    }
  }
}

// The dialog in which limits are changed: of a tenant, or of a downstream.
import { announce } from "./announce.js"
import { byId, h, say } from "./dom.js"
import { sentences } from "./words.js"

/**
 * `save` makes the change; what it fails with is shown in the dialog.
 * @param {{ of: string, note?: Node, rows: ReadonlyArray<Node>, save: () => Promise<void> }} limits
 */
export const showLimits = ({ note, of, rows, save }) => {
  const dialog = byId("limits", HTMLDialogElement)
  const trouble = h("p", { class: "notice bad", role: "alert", hidden: true })
  const change = async () => {
    await save()
    dialog.close()
    announce(`The limits of ${of} are changed.`)
  }
  dialog.replaceChildren(
    h(
      "form",
      {
        onsubmit: (/** @type {Event} */ event) => {
          event.preventDefault()
          change().catch((problem) => {
            trouble.hidden = false
            say(trouble, sentences(problem.message, problem.advice))
          })
        }
      },
      h("h2", { id: "limits-title" }, `Limits of ${of}`),
      ...(note === undefined ? [] : [note]),
      trouble,
      ...rows,
      h(
        "p",
        { class: "buttons" },
        h("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, "Close"),
        h("button", { type: "submit" }, "Change")
      )
    )
  )
  dialog.showModal()
}

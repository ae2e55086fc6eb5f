// What is shown for an address that no view has.
import { h } from "./dom.js"

/** @type {import("./types.d.ts").View} */
export const nowhere = (root, _signal, address) => {
  document.title = "No such page – Sluice"
  root.append(
    h("h1", null, "There is no such page"),
    h(
      "section",
      { class: "card" },
      h(
        "p",
        null,
        "The address ",
        h("code", null, `#/${address}`),
        " leads nowhere. It may be mistyped, or of another version."
      ),
      h("p", null, h("a", { href: "#/" }, "To the overview"))
    )
  )
}

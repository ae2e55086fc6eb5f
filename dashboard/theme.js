// Runs before the first paint, so that a chosen theme never flashes.
{
  const root = document.documentElement
  const dark = matchMedia("(prefers-color-scheme: dark)")
  const saved = localStorage.getItem("sluice.theme")
  if (saved === "dark" || saved === "light") root.dataset["theme"] = saved
  const tell = () => document.dispatchEvent(new Event("themechange"))
  dark.addEventListener("change", tell)
  document.addEventListener("DOMContentLoaded", () => {
    document.querySelector("#theme")?.addEventListener("click", () => {
      const now = root.dataset["theme"] ?? (dark.matches ? "dark" : "light")
      root.dataset["theme"] = now === "dark" ? "light" : "dark"
      localStorage.setItem("sluice.theme", root.dataset["theme"])
      tell()
    })
  })
}

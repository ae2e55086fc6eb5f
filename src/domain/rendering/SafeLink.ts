/** Schemes that a click may follow without running anything. */
const schemes: ReadonlySet<string> = new Set(["http:", "https:", "mailto:"])

const longest = 2_048

/** The address as it may stand in Markdown and HTML, or undefined: a script, a file or a place in the PDF is no link there. */
export const safeLink = (link: string): string | undefined => {
  if (link.length > longest || !URL.canParse(link)) return undefined
  const { href, protocol } = new URL(link)
  if (!schemes.has(protocol)) return undefined
  return href.replace(
    /[\s<>()\\"'`]/g,
    (character) => `%${(character.codePointAt(0) ?? 0).toString(16).padStart(2, "0").toUpperCase()}`
  )
}

// The outline of a Markdown text as a tree: headings, each with the text that follows it.
import { collapse } from "./Strings.ts"
import { withHtmlTables } from "./Tables.ts"

export interface HeadingNode {
  readonly tag: "document" | "heading" | "content"
  readonly text: string
  readonly children: ReadonlyArray<HeadingNode>
}

const content = (lines: ReadonlyArray<string>): ReadonlyArray<HeadingNode> => {
  const text = collapse(lines.join(" "))
  return text === "" ? [] : [{ tag: "content", text, children: [] }]
}

export const headingTree = (markdown: string): HeadingNode => {
  const parts = withHtmlTables(markdown).split(/^(?=#{1,6}\s)/m)
  const children = parts.flatMap((part): ReadonlyArray<HeadingNode> => {
    const [first = "", ...rest] = part.split("\n")
    const [, title] = /^#{1,6}\s+(.*)$/.exec(first) ?? []
    return title === undefined
      ? content([first, ...rest])
      : [{ tag: "heading", text: collapse(title), children: content(rest) }]
  })
  return { tag: "document", text: "", children }
}

export const hasHeadings = ({ children }: HeadingNode): boolean => children.some(({ tag }) => tag === "heading")

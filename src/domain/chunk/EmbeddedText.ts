/** What models and indexes are given of a chunk. */
export const embeddedText = ({ context, text }: { readonly context: string; readonly text: string }): string =>
  context === "" ? text : `${context}\n${text}`

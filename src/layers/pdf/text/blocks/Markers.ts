// The signs that begin an item of a list, a numbered heading or a note.

/** Bullets of all kinds, those of symbol fonts too. A hyphen alone is one only before a space. */
const bullet =
  /^(?:[•◦▪▫‣⁃·●○■□◆◇►▶▸➢➤✓✔❖❑➔→–—*\uf0a7\uf0b7\uf0d8\uf0fc\uf076\uf0a8\u2043\u25aa\u25cf-]|o(?=\s+\p{Lu}))\s+(?=\S)/u
const bulletAtOnce = /^[•◦▪▫‣●■◆►▶▸➢➤✓✔❖❑\uf0a7\uf0b7\uf0d8\uf0fc](?=\S)/u
const counted = /^(?:\(?(?:\d{1,3}|[a-zA-Z]|[ivxlIVXL]{1,5})[.)]|\[\d{1,3}\])\s+(?=\S)/
const ideographic = /^(?:[（(]?[一二三四五六七八九十]{1,3}[、）)]|[①-⑳]\s?|[0-9]{1,2}、)/

export interface Marker {
  /** As printed, without the space after it. */
  readonly text: string
  /** How many characters of the line it takes, the space after it included. */
  readonly length: number
  readonly kind: "bullet" | "counted"
}

export const listMarker = (text: string): Marker | undefined => {
  const plain = bullet.exec(text) ?? bulletAtOnce.exec(text)
  const found = plain ?? counted.exec(text) ?? ideographic.exec(text)
  if (found === null) return undefined
  return { text: found[0].trimEnd(), length: found[0].length, kind: plain === null ? "counted" : "bullet" }
}

const sectionNumber =
  /^(?:(?:chapter|section|part|appendix|annex|article|kapitel|teil|chapitre|capítulo)\s+)?((?:\d{1,2}|[A-Z])(?:\.\d{1,3}){0,5})[.):]?\s+(?=[\p{L}\p{N}"“'‘(])/iu

/** How deep the number of a section goes: 2 for `1.3`; 0 if there is none. */
export const numberingDepth = (text: string): number => {
  const number = sectionNumber.exec(text)?.[1]
  return number === undefined || (/^[A-Z]$/i.test(number) && !/^[A-Z][.):]/.test(text)) ? 0 : number.split(".").length
}

const caption =
  /^(?:(?:fig(?:ure|\.|s\.)?|table|tab\.|chart|graph|diagram|map|plate|exhibit|box|scheme|photo|illustration|listing|algorithm|abb(?:ildung|\.)?|tabelle|tableau|figura|tabla|tabela|quadro|gráfico|рис(?:унок|\.)?|таблица|рисунок)(?:\s*\d+|\s+[A-Z]\b|\s+[IVX]+\b)|[图圖図表]\s*\d)/iu

export const isCaptionStart = (text: string): boolean => caption.test(text)

const note = /^(?:\d{1,3}|[*†‡§¶]{1,3}|[a-z])(?:[.)]?\s+)(?=\S)/u
export const isNoteStart = (text: string): boolean => note.test(text)

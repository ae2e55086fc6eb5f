// Grey images turned by quarters, and parts of them. Loops over pixels: an image of a page has four million.
import type { GreyImage, QuarterTurn } from "../../services/Ocr.ts"

/** Turned clockwise. */
export const turned = (image: GreyImage, by: QuarterTurn): GreyImage => {
  const { bytes, height, width } = image
  if (by === 0) return image
  const into = new Uint8Array(bytes.length)
  if (by === 180) {
    for (let i = 0, last = bytes.length - 1; i <= last; i++) into[i] = bytes[last - i] ?? 0
    return { width, height, bytes: into }
  }
  for (let y = 0; y < height; y++) {
    const row = y * width
    // A row becomes a column: from the right when turned clockwise, from the left when anticlockwise.
    let to = by === 90 ? height - 1 - y : (width - 1) * height + y
    const step = by === 90 ? height : -height
    for (let x = 0; x < width; x++, to += step) into[to] = bytes[row + x] ?? 0
  }
  return { width: height, height: width, bytes: into }
}

/** A part of the image. */
export const cut = (image: GreyImage, left: number, top: number, width: number, height: number): GreyImage => {
  const bytes = new Uint8Array(width * height)
  for (let y = 0; y < height; y++) {
    const from = (top + y) * image.width + left
    bytes.set(image.bytes.subarray(from, from + width), y * width)
  }
  return { width, height, bytes }
}

/** Portable grey map: the pixels behind a header. */
export const toPgm = ({ bytes, height, width }: GreyImage): Uint8Array => {
  const header = new TextEncoder().encode(`P5\n${width} ${height}\n255\n`)
  const pgm = new Uint8Array(header.length + bytes.length)
  pgm.set(header)
  pgm.set(bytes, header.length)
  return pgm
}

const darkBelow = 160

/** Where the image has the most dark pixels: a square of this side, or less where the image is smaller. */
export const densest = (image: GreyImage, side: number): GreyImage => {
  const width = Math.min(side, image.width)
  const height = Math.min(side, image.height)
  // Dark pixels by cells of a coarse grid, every fourth of them looked at.
  const cell = Math.max(8, Math.floor(side / 8))
  const columns = Math.max(1, Math.floor(image.width / cell))
  const rows = Math.max(1, Math.floor(image.height / cell))
  const dark = new Float64Array(columns * rows)
  for (let y = 0; y < rows * cell; y += 2) {
    for (let x = 0; x < columns * cell; x += 2) {
      if ((image.bytes[y * image.width + x] ?? 255) < darkBelow) {
        const at = Math.floor(y / cell) * columns + Math.floor(x / cell)
        dark[at] = (dark[at] ?? 0) + 1
      }
    }
  }
  let best = { left: 0, top: 0, sum: -1 }
  const across = Math.ceil(width / cell)
  const down = Math.ceil(height / cell)
  for (let row = 0; row <= Math.max(0, rows - down); row++) {
    for (let column = 0; column <= Math.max(0, columns - across); column++) {
      let sum = 0
      for (let y = row; y < Math.min(rows, row + down); y++) {
        for (let x = column; x < Math.min(columns, column + across); x++) sum += dark[y * columns + x] ?? 0
      }
      if (sum > best.sum) best = { left: column * cell, top: row * cell, sum }
    }
  }
  return cut(image, Math.min(best.left, image.width - width), Math.min(best.top, image.height - height), width, height)
}

import type { PageImage } from "../../../services/PageImages.ts"

/** Images that were drawn of late: those used longest ago make room for others. */
export class ImageCache {
  readonly #mostBytes: number
  /** In the order of use, the latest last. */
  readonly #images = new Map<string, PageImage>()
  #bytes = 0

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes
  }

  get bytes(): number {
    return this.#bytes
  }

  find(key: string): PageImage | undefined {
    const image = this.#images.get(key)
    if (image === undefined) return undefined
    this.#images.delete(key)
    this.#images.set(key, image)
    return image
  }

  /** One that is larger than an eighth of the cache is not kept. */
  add(key: string, image: PageImage): void {
    if (image.bytes.byteLength > this.#mostBytes / 8 || this.#images.has(key)) return
    this.#images.set(key, image)
    this.#bytes += image.bytes.byteLength
    for (const [oldest, { bytes }] of this.#images) {
      if (this.#bytes <= this.#mostBytes) return
      this.#images.delete(oldest)
      this.#bytes -= bytes.byteLength
    }
  }
}

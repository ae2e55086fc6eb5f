/** A binary heap: the least element by `compare` comes out first. Push and pop are O(log n). */
export class MinHeap<A> {
  readonly #items: Array<A> = []
  readonly #compare: (a: A, b: A) => number

  constructor(compare: (a: A, b: A) => number) {
    this.#compare = compare
  }

  get size(): number {
    return this.#items.length
  }

  peek(): A | undefined {
    return this.#items[0]
  }

  push(item: A): void {
    const items = this.#items
    let index = items.length
    items.push(item)
    while (index > 0) {
      const parentIndex = (index - 1) >> 1
      const parent = items[parentIndex]
      if (parent === undefined || this.#compare(parent, item) <= 0) break
      items[index] = parent
      index = parentIndex
    }
    items[index] = item
  }

  pop(): A | undefined {
    const items = this.#items
    const least = items[0]
    const last = items.pop()
    if (last === undefined || items.length === 0) return least
    let index = 0
    for (;;) {
      const child = this.#lesserChild(index)
      const item = items[child]
      if (item === undefined || this.#compare(last, item) <= 0) break
      items[index] = item
      index = child
    }
    items[index] = last
    return least
  }

  #lesserChild(index: number): number {
    const left = 2 * index + 1
    const [a, b] = [this.#items[left], this.#items[left + 1]]
    return a !== undefined && b !== undefined && this.#compare(b, a) < 0 ? left + 1 : left
  }
}

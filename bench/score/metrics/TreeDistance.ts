// The edit distance of ordered trees, after Zhang and Shasha: insert and delete cost 1, what a replacement costs is given.

export interface Tree {
  readonly children: ReadonlyArray<Tree>
}

interface Indexed<T> {
  /** In postorder. */
  readonly nodes: ReadonlyArray<T>
  /** For each node, the index of its leftmost leaf. */
  readonly leftmost: ReadonlyArray<number>
  /** The last node of each leftmost leaf: the roots of the subtrees that have to be compared. */
  readonly keyRoots: ReadonlyArray<number>
}

const indexed = <T extends { readonly children: ReadonlyArray<T> }>(root: T): Indexed<T> => {
  const nodes: Array<T> = []
  const leftmost: Array<number> = []
  const visit = (node: T): number => {
    let first: number | undefined
    for (const child of node.children) {
      const leaf = visit(child)
      first ??= leaf
    }
    const own = nodes.push(node) - 1
    leftmost.push(first ?? own)
    return first ?? own
  }
  visit(root)
  const lastOf = new Map(leftmost.map((leaf, index) => [leaf, index]))
  return { nodes, leftmost, keyRoots: [...lastOf.values()].sort((a, b) => a - b) }
}

export const sizeOf = ({ children }: Tree): number => children.reduce((sum, child) => sum + sizeOf(child), 1)

export const treeDistance = <T extends { readonly children: ReadonlyArray<T> }>(
  one: T,
  other: T,
  replacing: (a: T, b: T) => number
): number => {
  const a = indexed(one)
  const b = indexed(other)
  const width = b.nodes.length
  const trees = new Float64Array(a.nodes.length * width)
  const costs = new Map<number, number>()
  const costOf = (i: number, j: number): number => {
    const known = costs.get(i * width + j)
    if (known !== undefined) return known
    const [x, y] = [a.nodes[i], b.nodes[j]]
    const cost = x === undefined || y === undefined ? 1 : replacing(x, y)
    costs.set(i * width + j, cost)
    return cost
  }
  const forests = new Float64Array((a.nodes.length + 1) * (width + 1))
  const at = (row: number, column: number) => row * (width + 1) + column
  for (const rootA of a.keyRoots) {
    for (const rootB of b.keyRoots) {
      const [startA, startB] = [a.leftmost[rootA] ?? 0, b.leftmost[rootB] ?? 0]
      forests[0] = 0
      for (let i = startA; i <= rootA; i++) forests[at(i - startA + 1, 0)] = i - startA + 1
      for (let j = startB; j <= rootB; j++) forests[at(0, j - startB + 1)] = j - startB + 1
      for (let i = startA; i <= rootA; i++) {
        for (let j = startB; j <= rootB; j++) {
          const [row, column] = [i - startA + 1, j - startB + 1]
          const [leafA, leafB] = [a.leftmost[i] ?? 0, b.leftmost[j] ?? 0]
          const changed = Math.min(forests[at(row - 1, column)] ?? 0, forests[at(row, column - 1)] ?? 0) + 1
          const areTrees = leafA === startA && leafB === startB
          const rest = areTrees ? at(row - 1, column - 1) : at(leafA - startA, leafB - startB)
          const kept = (forests[rest] ?? 0) + (areTrees ? costOf(i, j) : (trees[i * width + j] ?? 0))
          const distance = Math.min(changed, kept)
          forests[at(row, column)] = distance
          if (areTrees) trees[i * width + j] = distance
        }
      }
    }
  }
  return trees[a.nodes.length * width - 1] ?? 0
}

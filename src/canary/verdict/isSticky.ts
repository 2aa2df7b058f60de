import type { Sample } from '../sampling/sample.ts'
import { type Expectation, findExpected } from './expectation.ts'
import { chiSquaredTail } from './statistics.ts'

/** How often, at most, a look takes a gateway that draws anew for each request for one that does not: then all is asked anew. */
const MISTAKEN = 1e-6
/** The same, where the split seems wrong: before that is said, it is looked into. */
const MISTAKEN_IF_WRONG = 0.001

/** Replies to one who is expected, and all, on each of the connections that were kept and used again. */
function onConnections({ sources }: Sample, expectation: Expectation, index: number) {
  const counts = new Map<number, { hits: number; all: number }>()
  for (const source of sources) {
    const isMeant = findExpected(expectation, source) === expectation[index]
    for (const [connection, replies] of source.connections) {
      const { hits, all } = counts.get(connection) ?? { hits: 0, all: 0 }
      counts.set(connection, { hits: hits + (isMeant ? replies : 0), all: all + replies })
    }
  }
  return [...counts.values()].filter(({ all }) => all > 1)
}

/**
 * Whether replies on one connection come from one backend more often than chance explains, by the dispersion of shares between
 * connections (Pearson's chi-squared test): then ten connections are ten draws, however many requests they carry.
 * Where one gets nothing at all, and the split is wrong by that, too few connections may be the reason as well.
 */
export function isSticky(sample: Sample, expectation: Expectation, isSplitWrong: boolean): boolean {
  // Replies that nobody expects tell nothing of what connections do.
  if (!sample.sources.some((source) => findExpected(expectation, source))) return false
  return expectation.some(({ share }, index) => {
    if (share === 0 || share === 1) return false
    const connections = onConnections(sample, expectation, index)
    const all = connections.reduce((sum, connection) => sum + connection.all, 0)
    const hits = connections.reduce((sum, connection) => sum + connection.hits, 0)
    if (connections.length < 2) return false
    if (hits === 0 || hits === all) return isSplitWrong
    const rate = hits / all
    const dispersion = connections.reduce((sum, { hits, all }) => sum + (hits - rate * all) ** 2 / (all * rate * (1 - rate)), 0)
    return chiSquaredTail(dispersion, connections.length - 1) < (isSplitWrong ? MISTAKEN_IF_WRONG : MISTAKEN)
  })
}

interface Weighted {
  readonly weight: number
}

/**
 * Takes turns by weight as evenly as can be: of 90 and 10, exactly every tenth turn is the second's.
 * It is the smooth weighted round robin of https://github.com/nginx/nginx/commit/52327e0627f49dbda1e8db695e63a4b0af4448b1.
 */
export class Spread<T extends Weighted> {
  readonly #shares: { readonly item: T; credit: number }[]
  readonly #total: number

  constructor(items: readonly T[]) {
    this.#shares = items.filter(({ weight }) => weight > 0).map((item) => ({ item, credit: 0 }))
    this.#total = items.reduce((sum, { weight }) => sum + weight, 0)
  }

  /** Whose turn it is, or nobody's when no weight is above 0. */
  next(): T | undefined {
    for (const share of this.#shares) share.credit += share.item.weight
    const richest = this.#shares.reduce((best, share) => (share.credit > best.credit ? share : best), this.#shares[0] as never)
    if (!richest) return undefined
    richest.credit -= this.#total
    return richest.item
  }
}

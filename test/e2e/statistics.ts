/** So wide that the truth is outside once in 150,000 times: a test that fails by chance is ignored when it counts. */
const SIGMAS = 4.5

type Interval = [least: number, most: number]

/** The numbers of hits to be believed when each of `n` trials has the same chance. */
export function binomial(n: number, chance: number): Interval {
  const margin = SIGMAS * Math.sqrt(n * chance * (1 - chance))
  return [n * chance - margin, n * chance + margin]
}

const ascending = (values: number[]) => values.toSorted((a, b) => a - b)

function quantile(values: number[], q: number): number {
  return ascending(values)[Math.floor(values.length * q)] ?? Number.NaN
}

/** Of the latencies, for people. */
export function p50AndP99(replies: { latency: number }[]): string {
  const latencies = replies.map(({ latency }) => latency)
  return [0.5, 0.99].map((q) => `${quantile(latencies, q).toFixed(1)} ms`).join(', ')
}

/** Where the true quantile lies, whatever the distribution: the number of samples below it is binomial. */
export function quantileInterval(values: number[], q: number): Interval {
  const [least, most] = binomial(values.length, q)
  const samples = ascending(values)
  return [samples[Math.floor(least)] ?? Number.NaN, samples[Math.ceil(most)] ?? Number.NaN]
}

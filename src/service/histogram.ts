type Labels = Record<string, string>

/** Upper bounds in seconds. */
const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** What was observed under one set of labels. */
export class Series {
  readonly labels: Labels
  readonly counts = new Float64Array(buckets.length + 1)
  sum = 0

  constructor(labels: Labels) {
    this.labels = labels
  }

  observe(seconds: number): void {
    let bucket = 0
    while (seconds > (buckets[bucket] as number)) bucket++
    this.counts[bucket] = (this.counts[bucket] as number) + 1
    this.sum += seconds
  }
}

/**
 * A Prometheus histogram of seconds. prom-client's looks its series up by all labels at every observation, which cost about a tenth
 * of the CPU of a reply; here the caller keeps the series.
 */
export class Histogram {
  readonly #name: string
  readonly #help: string
  readonly #series: Series[] = []

  constructor(name: string, help: string) {
    this.#name = name
    this.#help = help
  }

  series(labels: Labels): Series {
    const series = new Series(labels)
    this.#series.push(series)
    return series
  }

  /** In the text exposition format, with `common` among the labels of every sample (https://prometheus.io/docs/instrumenting/exposition_formats/). */
  expose(common: Labels): string {
    const lines = [`# HELP ${this.#name} ${this.#help}`, `# TYPE ${this.#name} histogram`]
    for (const { labels, counts, sum } of this.#series) {
      const sample = (suffix: string, extra: Labels, value: number) => {
        const pairs = Object.entries({ ...extra, ...labels, ...common }).map(([name, text]) => `${name}="${escapeValue(text)}"`)
        lines.push(`${this.#name}_${suffix}{${pairs.join(',')}} ${value}`)
      }
      let count = 0
      for (const [bucket, observed] of counts.entries()) {
        count += observed
        sample('bucket', { le: `${buckets[bucket] ?? '+Inf'}` }, count)
      }
      sample('sum', {}, sum)
      sample('count', {}, count)
    }
    return `${lines.join('\n')}\n`
  }
}

const escapeValue = (text: string) => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')

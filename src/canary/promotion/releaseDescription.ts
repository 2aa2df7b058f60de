import type { Weights } from '../values/weights.ts'

/** What a command of this CLI did to a release, and why. */
export interface Change {
  readonly command: 'shift' | 'promote' | 'rollback'
  /** For people, without a semicolon. */
  readonly step: string
  /** Those that it sets. */
  readonly weights: Weights
  /** The judgement that led to it. */
  readonly judged?: Judged | undefined
  readonly because?: string | undefined
}

export interface Judged {
  readonly verdict: 'PASS' | 'FAIL' | 'INCONCLUSIVE'
  /** Canary's share, 0 to 100, at which it was judged. */
  readonly percentage: number
  readonly requests: number
  /** Names of those that did not pass. */
  readonly gates: readonly string[]
}

const PATTERN =
  /^canary (shift|promote|rollback): ([^;]+); weights (\d+)\/(\d+)(?:; after (PASS|FAIL|INCONCLUSIVE) at ([\d.]+) %, (\d+) requests?(?:, ([^;]+))?)?(?:; because (.+))?$/

/** A change on one line, for people and `parseDescription`, as the description of a revision in `helm history`. */
export function describeChange({ command, step, weights: { stable, canary }, judged, because }: Change): string {
  const parts = [`canary ${command}: ${step}`, `weights ${stable}/${canary}`]
  if (judged) {
    const { verdict, percentage, requests, gates } = judged
    const sample = `${requests} ${requests === 1 ? 'request' : 'requests'}`
    parts.push([`after ${verdict} at ${Number(percentage.toPrecision(3))} %`, sample, ...gates].join(', '))
  }
  const reason = because?.replaceAll(/\s+/g, ' ').trim()
  if (reason) parts.push(`because ${reason}`)
  return parts.join('; ')
}

/** What `describeChange` has written; undefined for any other text. */
export function parseDescription(text: string): Change | undefined {
  const [, command, step = '', stable, canary, verdict, percentage, requests, gates, because] = PATTERN.exec(text) ?? []
  if (!command) return undefined
  return {
    command: command as Change['command'],
    step,
    weights: { stable: Number(stable), canary: Number(canary) },
    ...(verdict && {
      judged: {
        verdict: verdict as Judged['verdict'],
        percentage: Number(percentage),
        requests: Number(requests),
        gates: gates?.split(', ') ?? [],
      },
    }),
    ...(because !== undefined && { because }),
  }
}

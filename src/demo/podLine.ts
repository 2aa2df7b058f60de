/** Below pino's `warn`. */
const QUIET = 40

/** A line of a pod's log as people like to read it: the message and its fields. Nothing when it is of no importance. */
export function podLine(line: string, verbose: boolean): string | undefined {
  const { level, time: _, msg, err, ...fields } = parse(line) ?? { level: QUIET, msg: line }
  if (Number(level) < QUIET && !verbose) return undefined
  const details = Object.entries(fields).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  )
  const reason = (err as Error | undefined)?.message
  return [reason ? `${msg}: ${reason}` : msg, ...details].join(' ')
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    const entry = JSON.parse(line)
    return typeof entry?.level === 'number' ? entry : undefined
  } catch {
    return undefined
  }
}

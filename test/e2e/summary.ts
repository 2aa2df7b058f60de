const lines = new Map<string, string[]>()

/** Notes what was measured, under its heading. */
export function note(heading: string, line: string): void {
  lines.set(heading, [...(lines.get(heading) ?? []), line])
}

/** All notes, for people to read. */
export function summary(): string {
  const blocks = [...lines].map(([heading, texts]) => [`${heading}:`, ...texts.map((text) => `  ${text}`)].join('\n'))
  return `Measured through the gateway\n\n${blocks.join('\n')}\n`
}

export const inSeconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`

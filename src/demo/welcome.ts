import { styleText } from 'node:util'

export interface Started {
  address: string
  pods: readonly { readonly ready: boolean }[]
  /** Since the render. */
  readyMs: number
  /** As in `90/10`. */
  traffic: string | undefined
  valuesFile: string
  /** Where the page is, and the version. */
  paths: { page: string; version: string }
}

/** What runs now, and what one can do with it. */
export function welcome({ address, pods, readyMs, traffic, valuesFile, paths }: Started): string {
  const rows = {
    Open: styleText('bold', `http://${address}${paths.page}`),
    Ask: `curl http://${address}${paths.version}`,
    Count: `curl -sw '\\n' '${address}${paths.version}?[1-20]' | sort | uniq -c`,
    Move: `edit the weights in ${valuesFile} and save`,
    Stop: 'Ctrl-C',
  }
  const ready = pods.filter((pod) => pod.ready).length
  const processes = ready === pods.length ? `${ready} processes` : `${ready} of ${pods.length} processes`
  return [
    '',
    `  ${processes} ready ${Math.round(readyMs)} ms after the render${traffic ? `; traffic ${traffic} (stable/canary)` : ''}`,
    '',
    ...Object.entries(rows).map(([what, how]) => `  ${styleText('green', what.padEnd(7))}${how}`),
    '',
  ].join('\n')
}

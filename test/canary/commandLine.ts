import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll } from 'vitest'

export const root = join(import.meta.dirname, '../..')
const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true })
})

export function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'canary-'))
  folders.push(folder)
  return folder
}

/** A copy of the chart to edit, with other weights. */
export function copyChart(weights = '90/10'): string {
  const chart = join(temporary(), 'chart')
  cpSync(join(root, 'chart'), chart, { recursive: true })
  const [stable, canary] = weights.split('/')
  const path = join(chart, 'values-stable.yaml')
  writeFileSync(
    path,
    readFileSync(path, 'utf8')
      .replace(/stable: \d+/, `stable: ${stable}`)
      .replace(/canary: \d+/, `canary: ${canary}`),
  )
  return chart
}

/** The CLI in a process of its own, without a cluster. */
export function start(line: string) {
  const all = { KUBECONFIG: '/dev/null', PATH: process.env.PATH }
  return execa(process.execPath, ['src/canary/main.ts', ...line.split(' ')], {
    cwd: root,
    env: all,
    extendEnv: false,
    reject: false,
  })
}

export const stableFile = (chart: string) => readFileSync(join(chart, 'values-stable.yaml'), 'utf8')

/** The same on a terminal, so wide. `script` is its other end. */
export function startOnTerminal(line: string, columns: number, env: NodeJS.ProcessEnv = {}) {
  const command = `stty cols ${columns} rows 40; exec ${process.execPath} src/canary/main.ts ${line}`
  const all = { PATH: process.env.PATH, TERM: 'xterm', ...env }
  return execa('script', ['-qefc', command, '/dev/null'], { cwd: root, env: all, extendEnv: false, reject: false })
}

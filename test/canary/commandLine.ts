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

/** The same under another name, as people copy a chart, with Services and Deployments that are not called as their release. */
export function copyChartAs(name: string): string {
  const chart = copyChart()
  const edit = (file: string, from: string, to: string) => {
    const path = join(chart, file)
    const text = readFileSync(path, 'utf8')
    if (!text.includes(from)) throw new Error(`${file} does not have ${from}`)
    writeFileSync(path, text.replaceAll(from, to))
  }
  const metadata = '{{- include "devops-api.metadata" . | nindent 2 }}'
  const renamed = (prefix: string) => metadata.replace(' | n', ` | replace "name: ${name}-" "name: ${prefix}-${name}-" | n`)
  edit('Chart.yaml', 'name: devops-api', `name: ${name}`)
  edit('templates/service.yaml', metadata, renamed('http'))
  edit('templates/deployment.yaml', metadata, renamed('web'))
  edit('templates/httproute.yaml', 'name: {{ include "devops-api.name"', 'name: http-{{ include "devops-api.name"')
  return chart
}

export const stableFile = (chart: string) => readFileSync(join(chart, 'values-stable.yaml'), 'utf8')

/** The same on a terminal, so wide. `script` is its other end. */
export function startOnTerminal(line: string, columns: number, env: NodeJS.ProcessEnv = {}) {
  const command = `stty cols ${columns} rows 40; exec ${process.execPath} src/canary/main.ts ${line}`
  const all = { PATH: process.env.PATH, TERM: 'xterm', ...env }
  return execa('script', ['-qefc', command, '/dev/null'], { cwd: root, env: all, extendEnv: false, reject: false })
}

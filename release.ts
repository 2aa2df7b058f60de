import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { parse } from 'yaml'
import manifest from './package.json' with { type: 'json' }

const chart = join(import.meta.dirname, 'chart')
const read = (name: string) => parse(readFileSync(join(chart, name), 'utf8'))

/**
 * Where the repository says another version than the tag that is to be released: chart, image and package carry one.
 * @param tag such as v1.1.1
 */
export function otherVersions(tag: string): string[] {
  const { version, appVersion } = read('Chart.yaml')
  const said = {
    'package.json, version': manifest.version,
    'chart/Chart.yaml, version': version,
    'chart/Chart.yaml, appVersion': appVersion,
    'chart/values-stable.yaml, image.tag': read('values-stable.yaml').image.tag,
    'chart/values-canary.yaml, image.tag': read('values-canary.yaml').image.tag,
  }
  return Object.entries(said).flatMap(([where, is]) => (`v${is}` === tag ? [] : [`${where} is ${is}, and the tag is ${tag}`]))
}

/**
 * Packages the chart as it is released: with the image that anybody can pull in place of the one that is built here.
 * @param repository such as ghcr.io/devops-api/devops-api
 * @returns the package's path
 */
export async function packageChart(repository: string, destination: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'release-'))
  try {
    const copy = join(folder, 'chart')
    cpSync(chart, copy, { recursive: true })
    const values = readFileSync(join(copy, 'values.yaml'), 'utf8')
    writeFileSync(join(copy, 'values.yaml'), values.replace(/^( {2}repository:) .+$/m, `$1 ${repository}`))
    const { stdout } = await execa('helm', ['package', copy, '--destination', destination])
    return stdout.replace(/^.*saved it to: /s, '').trim()
  } finally {
    rmSync(folder, { recursive: true })
  }
}

if (import.meta.main) {
  const [tag = '', repository = '', destination = '.'] = process.argv.slice(2)
  const others = otherVersions(tag)
  if (others.length > 0) {
    console.error(others.join('\n'))
    process.exitCode = 1
  } else if (repository) console.log(await packageChart(repository, destination))
}

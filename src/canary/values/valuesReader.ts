import { isUtf8 } from 'node:buffer'
import { existsSync, readFileSync, symlinkSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { ProgramRefusal, WrongUse } from '../errors.ts'
import type { Role } from '../roles.ts'
import type { Values } from './values.ts'
import { weightsOf } from './weights.ts'
import { type Files, withFiles } from './withFiles.ts'

/** A values file, and what it says by itself. */
export interface ValuesFile {
  readonly path: string
  readonly text: string
  readonly values: Values
}

/** What a release gets. */
export interface ReleaseValues {
  /** The chart's own values, and what the files lay over them. */
  readonly values: Values
  readonly appVersion: string
}

/** Whoever runs Helm. */
export interface RunsHelm {
  /** @throws {ProgramRefusal} with Helm's own words */
  helm(...args: string[]): Promise<string>
}

/** The values file of a role. */
export const valuesPath = (chart: string, role: Role): string => join(chart, `values-${role}.yaml`)

// In base64, because Helm reads what a template prints as YAML; and with a mark, because dependencies print something as well.
const MARK = 'canaryValues'
const TEMPLATE = `${MARK}: {{ dict "values" .Values "appVersion" .Chart.AppVersion | toJson | b64enc }}\n`
const NO_CHART = { 'Chart.yaml': 'apiVersion: v2\nname: values\nversion: 0.0.0\n' }

/**
 * The one reader of values files: what they mean is what Helm makes of them, and so Helm reads them (YAML 1.1, merges, several
 * documents, which Helm 3 and 4 take differently), in a throw-away chart whose only template prints its values. It needs no cluster.
 * Each text is read once.
 */
export class ValuesReader {
  readonly #helm: RunsHelm
  readonly #read = new Map<string, Promise<Values>>()

  constructor(helm: RunsHelm) {
    this.#helm = helm
  }

  /**
   * Reads a values file as it is now.
   * @throws {WrongUse} with one line, when it cannot be read, Helm does not understand it, or its weights are none
   */
  async file(path: string): Promise<ValuesFile> {
    const text = readText(path)
    return { path, text, values: await this.text(text, path) }
  }

  /**
   * What a text means as a values file.
   * @param path whose text it is, for messages
   * @throws {WrongUse} with one line, when Helm does not understand it, or its weights are none
   */
  text(text: string, path: string): Promise<Values> {
    const key = `${path}\n${text}`
    const known = this.#read.get(key)
    if (known) return known
    const reading = this.#compute(NO_CHART, [{ path, text }]).then(({ values }) => {
      weightsOf(values, path)
      return values
    })
    this.#read.set(key, reading)
    return reading
  }

  /**
   * What a release of the chart gets with these files, the last of which counts most.
   * @throws {WrongUse} with one line, when a file cannot be read, or Helm or the chart's schema refuses what it says
   */
  async release(chart: string, paths: readonly string[]): Promise<ReleaseValues> {
    const files = paths.map((path) => ({ path, text: readText(path) }))
    const parts = {
      // Which Kubernetes runs the release is not known here.
      'Chart.yaml': readText(join(chart, 'Chart.yaml')).replace(/^kubeVersion:.*$/m, ''),
      ...Object.fromEntries(
        ['values.yaml', 'values.schema.json'].flatMap((name) => {
          const path = join(chart, name)
          return existsSync(path) ? [[name, readText(path)]] : []
        }),
      ),
    }
    try {
      const computed = await this.#compute(parts, files, join(chart, 'charts'))
      // The files' own weights may be good, and a default bad.
      weightsOf(computed.values, join(chart, 'values.yaml'))
      return computed
    } catch (error) {
      // What is wrong with one by itself says more: schemas do not show the value.
      for (const { path, text } of files) await this.text(text, path)
      throw error
    }
  }

  async #compute(parts: Files, texts: readonly Text[], dependencies?: string): Promise<ReleaseValues> {
    const all = [...Object.entries(parts), ['templates/canary-values.yaml', TEMPLATE] as const]
    const files = {
      ...Object.fromEntries(all.map(([name, content]) => [join('chart', name), content])),
      ...Object.fromEntries(texts.map(({ text }, index) => [`${index}.yaml`, text])),
    }
    return withFiles(files, async (folder) => {
      const chart = join(folder, 'chart')
      if (dependencies && existsSync(dependencies)) symlinkSync(resolve(dependencies), join(chart, 'charts'))
      const copies = texts.map((text, index) => ({ ...text, copy: join(folder, `${index}.yaml`) }))
      const args = ['template', 'values', chart, ...copies.flatMap(({ copy }) => ['--values', copy])]
      const printed = await this.#helm.helm(...args).catch((error: unknown) => {
        throw error instanceof ProgramRefusal ? refusal(error.complaint, copies) : error
      })
      const [, encoded = ''] = new RegExp(`^${MARK}: (\\S+)$`, 'm').exec(printed) ?? []
      return JSON.parse(Buffer.from(encoded, 'base64').toString())
    })
  }
}

type Text = Omit<ValuesFile, 'values'>

/** Helm's words about the copies as words about the files. */
function refusal(complaint: string, copies: readonly (Text & { copy: string })[]): WrongUse {
  const file = copies.find(({ copy }) => complaint.includes(`failed to parse ${copy}: `))
  if (!file) {
    const reason = complaint.replace(/^values don't meet the specifications of the schema\(s\) in the following chart\(s\): /, '')
    return new WrongUse(`Helm refuses ${copies.map(({ path }) => path).join(', ')}: ${reason}`)
  }
  if (/cannot unmarshal \w+ into Go value of type map/.test(complaint))
    return new WrongUse(`${file.path} holds ${shown(file.text)}: it must hold values by their names, such as "role: stable"`)
  const reason = complaint.replace(`failed to parse ${file.copy}: `, '').replaceAll(HOW_HELM_READS, '')
  return new WrongUse(`Helm cannot read ${file.path}: ${reason}`)
}

/** Says nothing about the file. */
const HOW_HELM_READS =
  /(cannot unmarshal yaml document|error reading yaml document|error converting YAML to JSON|error unmarshaling JSON|\byaml): /g

const shown = (text: string) => text.trim().replaceAll(/\s+/g, ' ').slice(0, 40)

/** @throws {WrongUse} with one line, when it cannot be read, which ends with the advice */
export function readText(path: string, advice = "--chart must name the chart's folder, --values files"): string {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const why = code === 'ENOENT' ? 'there is no such file' : code
    throw new WrongUse(`cannot read ${path} (${why}): ${advice}`)
  }
  if (isUtf8(bytes)) return bytes.toString()
  const lines = bytes.toString('latin1').split('\n')
  const line = lines.findIndex((text) => !isUtf8(Buffer.from(text, 'latin1'))) + 1
  throw new WrongUse(`${path} is not in UTF-8, which Helm wants: save it as that, line ${line} first`)
}

import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { describe, expect, it } from 'vitest'
import { HelmAndKubectl } from '../../../src/canary/cluster/helmAndKubectl.ts'
import { runProgram } from '../../../src/canary/cluster/runProgram.ts'
import { ValuesReader } from '../../../src/canary/values/valuesReader.ts'
import { seeded } from '../../seeded.ts'
import { copyChart, temporary } from '../commandLine.ts'
import { helmReader } from './helmReader.ts'

const reader = helmReader()

describe('a file', () => {
  it.each<[string, string, object]>([
    [
      'numbers and words of YAML 1.1',
      'a: on\nb: y\nc: 010\nd: 0b11\ne: 1_000\nf: 0o7\ng: 190:20:30\nh: 2001-12-14\ni: .5\nj: 1e3\nk: ~\nl: 0x1F\nm: No\nn: "on"\n1: x\n',
      {
        ...{ a: true, b: true, c: 8, d: 3, e: 1000, f: 7, g: '190:20:30', h: '2001-12-14', i: 0.5, j: 1000, k: null, l: 31 },
        ...{ m: false, false: 'on', 1: 'x' },
      },
    ],
    [
      'merges, which count more than what stands above them',
      'split: &split {stable: 90, canary: 10}\ntraffic:\n  stable: 1\n  <<: *split\n  canary: 20\n',
      { split: { stable: 90, canary: 10 }, traffic: { stable: 90, canary: 20 } },
    ],
    ['names that stand twice', 'a: 1\na: 2\n', { a: 2 }],
    ['CRLF', 'a: 1\r\nb:\r\n  c: "x"\r\n', { a: 1, b: { c: 'x' } }],
    ['a byte order mark', '\ufeffa: 1\n', { a: 1 }],
    ['a tab', 'a:\tb\t# c\n', { a: 'b' }],
    ['JSON', '{"a": [1, {"b": null}]}', { a: [1, { b: null }] }],
    ['what JavaScript knows', '__proto__: {a: 1}\nconstructor: 2\n', JSON.parse('{"__proto__": {"a": 1}, "constructor": 2}')],
    ['characters of all kinds', 'a: "😀\\u0000<>&\u2028{{ .Values }}"\n', { a: '😀\0<>&\u2028{{ .Values }}' }],
    ['a marker at its end', 'a: 1\n---\n', { a: 1 }],
    ['an end', 'a: 1\n...\n', { a: 1 }],
    ['comments alone', '# a\n', {}],
    ['nothing', '', {}],
    ['null', '~\n', {}],
  ])('is read with %s', async (_, text, values) => {
    expect(await reader.text(text, 'f.yaml')).toEqual(values)
  })

  it.each([
    ['hello\n', 'f.yaml holds hello: it must hold values by their names, such as "role: stable"'],
    ['- stable\n', 'f.yaml holds - stable: it must hold values by their names, such as "role: stable"'],
    ['5\n', 'f.yaml holds 5: it must hold values by their names, such as "role: stable"'],
    ['a: {b\n', /^Helm cannot read f\.yaml: line \d+: did not find expected ',' or '}'$/],
    ['a:\n\tb: 1\n', 'Helm cannot read f.yaml: line 2: found character that cannot start any token'],
    ['a: *x\n', "Helm cannot read f.yaml: unknown anchor 'x' referenced"],
    ['a: .inf\n', 'Helm cannot read f.yaml: json: unsupported value: +Inf'],
    ['traffic: 5\n', 'traffic in f.yaml is 5: it must be the two weights, such as {stable: 90, canary: 10}'],
    ['traffic:\n', 'traffic in f.yaml is null: it must be the two weights, such as {stable: 90, canary: 10}'],
    [
      'traffic: {canary: "010"}\n',
      'traffic.canary in f.yaml is "010": it must be a whole number from 0 to 1000000, without quotes',
    ],
    ['traffic: {stable: .5}\n', 'traffic.stable in f.yaml is 0.5: it must be a whole number from 0 to 1000000, without quotes'],
  ])('is refused as %j', async (text, message) => {
    const said = await reader.text(text, 'f.yaml').then(JSON.stringify, (error: Error) => error.message)
    expect(said).toEqual(typeof message === 'string' ? message : expect.stringMatching(message))
  })

  it('must be in UTF-8, as Helm wants it', async () => {
    const path = join(temporary(), 'values-stable.yaml')
    writeFileSync(path, Buffer.from('role: stable\n# größer\ntraffic: {stable: 9}\n', 'latin1'))
    await expect(reader.file(path)).rejects.toThrow(`${path} is not in UTF-8, which Helm wants: save it as that, line 2 first`)
    writeFileSync(path, '# größer\nrole: stable\n')
    expect((await reader.file(path)).values).toEqual({ role: 'stable' })
  })

  it('is read once', async () => {
    let starts = 0
    const tools = new HelmAndKubectl({ chart: 'chart' }, { runProgram, signal: new AbortController().signal })
    const counting = new ValuesReader({
      helm: (...args) => {
        starts++
        return tools.helm(...args)
      },
    })
    const path = join(temporary(), 'values-stable.yaml')
    writeFileSync(path, 'role: stable\n')
    const [once, again] = await Promise.all([counting.file(path), counting.file(path)])
    expect([starts, once]).toEqual([1, again])
    writeFileSync(path, 'role: canary\n')
    expect((await counting.file(path)).values).toEqual({ role: 'canary' })
    expect(starts).toBe(2)
  })
})

describe('generated files', () => {
  const random = seeded(11)
  const pick = <T>(...choices: T[]): T => choices[Math.floor(random() * choices.length)] as T
  const scalars = [
    ...['on', 'Yes', 'y', 'N', 'off', '010', '08', '0o7', '0b11', '0x1F', '1_000', '1e3', '1.10', '.5', '190:20:30', '~', 'Null'],
    ...['2001-12-14', '"on"', "'010'", '!!str 12', '!!int "9"', '=', 'plain words', '"\\u00e9\\n"', 'ä', '😀', '-1', '+12'],
    ...['9007199254740993', '1e20', '""', '', '.inf', '@x', '*a', '&a 3', '*missing', '\tx', 'a:b', '|\n    one\n\n    two'],
  ]
  const key = () => pick('a', 'b', '"c"', "'d'", 'on', 'y', '1', '1.5', 'image', 'traffic')
  // Some of what Helm refuses, but not in every file.
  const bad = ['.inf', '@x', '*missing', '\tx', '{~: 1}', '[']
  const leaf = () => (random() < 0.03 ? pick(...bad) : pick(...scalars.filter((text) => !text.startsWith('|'))))
  const flow = (): string =>
    pick(
      leaf,
      leaf,
      leaf,
      () => `[${flow()}, ${flow()}]`,
      () => `{${key()}: ${flow()}, ${key()}: ${flow()}}`,
    )()
  const entry = () =>
    pick(
      () => `${key()}: ${pick(...scalars)}${pick('', '', ' # c')}\n`,
      () => `${key()}: ${flow()}\n`,
      () => `${key()}: &a {x: ${flow()}, y: 2}\n`,
      () => `${key()}:\n  x: 9\n  <<: ${pick('*a', '[*a, {y: 3}]', '{x: 4}')}\n  y: ${pick(...scalars)}\n`,
      () => `${key()}:\n${pick('', '  ')}- ${flow()}\n${pick('# c\n', '\n', '')}`,
      () => pick('---\n', '...\n', '--- # c\n', '# c\n', '\n', '%YAML 1.1\n---\n'),
    )()
  const file = () => {
    const text = pick('', '', '\ufeff', '---\n') + Array.from({ length: Math.floor(random() * 6) }, entry).join('')
    return pick(text, text, text.replaceAll('\n', '\r\n'), text.trimEnd())
  }

  // Charts that print their values themselves, one of them with the defaults of ours.
  const plain = temporary()
  writeFileSync(join(plain, 'Chart.yaml'), 'apiVersion: v2\nname: plain\nversion: 1.0.0\n')
  const chart = copyChart()
  writeFileSync(join(chart, 'values.schema.json'), '{}')
  rmSync(join(chart, 'templates'), { recursive: true })
  for (const folder of [plain, chart]) {
    mkdirSync(join(folder, 'templates'))
    writeFileSync(join(folder, 'templates/all.yaml'), 'all: {{ .Values | toJson | toJson }}\n')
  }
  const read = async (folder: string, paths: string[]) => {
    const args = ['template', 'x', folder, '--show-only', 'templates/all.yaml', ...paths.flatMap((path) => ['--values', path])]
    const { stdout, failed } = await execa('helm', args, { reject: false })
    return failed ? undefined : JSON.parse(JSON.parse(stdout.slice(stdout.indexOf('all: ') + 5)))
  }

  it.each(Array.from({ length: 40 }, () => [file(), file()] as const))(
    'mean what they mean to Helm: %j, and over it %j',
    async (...texts) => {
      const paths = texts.map((text, index) => {
        const path = join(plain, `${index}.yaml`)
        writeFileSync(path, text)
        return path
      })
      const ours = (act: Promise<unknown>) => act.catch((error: Error) => error.message)
      const isNoWeight = (said: unknown) => typeof said === 'string' && /^traffic(\.\w+)? in /.test(said)
      for (const path of paths) {
        const said = await ours(reader.file(path).then(({ values }) => values))
        if (isNoWeight(said)) continue
        expect(typeof said === 'string' ? undefined : said, String(said)).toEqual(await read(plain, [path]))
      }
      const said = await ours(reader.release(chart, paths).then(({ values }) => values))
      if (!isNoWeight(said)) expect(typeof said === 'string' ? undefined : said, String(said)).toEqual(await read(chart, paths))
    },
  )
})

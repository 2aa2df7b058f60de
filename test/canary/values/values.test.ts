import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { differences } from '../../../src/canary/values/differences.ts'
import { parseValues, samePodValues, withPodValues, withWeights } from '../../../src/canary/values/values.ts'
import { readOverlays, readValues, writeValues } from '../../../src/canary/values/valuesFiles.ts'

const weights = { stable: 75, canary: 25 }
const moved = (text: string) => withWeights(text, weights, 'f.yaml')

describe('withWeights', () => {
  it.each([
    [
      'a plain file',
      'role: stable\ntraffic:\n  stable: 90\n  canary: 10\n',
      'role: stable\ntraffic:\n  stable: 75\n  canary: 25\n',
    ],
    [
      'comments, order, odd spaces',
      '# top\ntraffic:   # split\n    canary:   10# no comment\n'.replace('10#', '10 #') +
        '    # between\n    stable: 90\t# last\n\n\nrole: "stable"  \n# end',
      '# top\ntraffic:   # split\n    canary:   25 # no comment\n    # between\n    stable: 75\t# last\n\n\nrole: "stable"  \n# end',
    ],
    [
      'CRLF',
      'traffic:\r\n  stable: 90\r\n  canary: 10\r\nrole: stable\r\n',
      'traffic:\r\n  stable: 75\r\n  canary: 25\r\nrole: stable\r\n',
    ],
    ['flow style', 'traffic: { stable: 90,canary: 10 } # x\n', 'traffic: { stable: 75,canary: 25 } # x\n'],
    ['braces all over', '{role: stable, traffic: {stable: 90, canary: 10}}', '{role: stable, traffic: {stable: 75, canary: 25}}'],
    ['quoted keys', '"traffic":\n  \'stable\': 90\n  "canary": 10\n', '"traffic":\n  \'stable\': 75\n  "canary": 25\n'],
    [
      'anchors',
      'traffic: &t\n  stable: &s 90\n  canary: 10\nenv: {A: "1"}\n',
      'traffic: &t\n  stable: &s 75\n  canary: 25\nenv: {A: "1"}\n',
    ],
    ['no end of line', 'traffic:\n  stable: 90\n  canary: 10', 'traffic:\n  stable: 75\n  canary: 25'],
    ['a byte order mark', '\ufefftraffic:\n  stable: 90\n  canary: 10\n', '\ufefftraffic:\n  stable: 75\n  canary: 25\n'],
    [
      'numbers that are there already',
      'traffic:\n  stable: 75\n  canary: 025\n'.replace('025', '25'),
      'traffic:\n  stable: 75\n  canary: 25\n',
    ],
    [
      'beside other values',
      'traffic:\n  announce: true\n  stable: 9\n  canary: 1\n',
      'traffic:\n  announce: true\n  stable: 75\n  canary: 25\n',
    ],
    ['no traffic', 'role: stable\n# end\n', 'role: stable\ntraffic:\n  stable: 75\n  canary: 25\n# end\n'],
    ['no traffic, no end of line', 'role: stable', 'role: stable\ntraffic:\n  stable: 75\n  canary: 25\n'],
    ['no traffic, CRLF', 'role: stable\r\n', 'role: stable\r\ntraffic:\r\n  stable: 75\r\n  canary: 25\r\n'],
    ['an end marker', 'role: stable\n...\n', 'role: stable\ntraffic:\n  stable: 75\n  canary: 25\n...\n'],
    ['nothing', '', 'traffic:\n  stable: 75\n  canary: 25\n'],
    ['comments alone', '# nothing\n', '# nothing\ntraffic:\n  stable: 75\n  canary: 25\n'],
    ['empty traffic', 'traffic:\nrole: stable\n', 'traffic:\n  stable: 75\n  canary: 25\nrole: stable\n'],
    ['traffic in empty braces', 'traffic: {}\n', 'traffic: {stable: 75, canary: 25}\n'],
    ['one of two', 'traffic:\n    # mine\n    stable: 90\n', 'traffic:\n    # mine\n    canary: 25\n    stable: 75\n'],
    ['one of two, in braces', 'traffic: {stable: 90}\n', 'traffic: {canary: 25, stable: 75}\n'],
    ['neither, beside another', 'traffic:\n  preview: true\n', 'traffic:\n  stable: 75\n  canary: 25\n  preview: true\n'],
  ])('edits %s, and nothing else', (_, before, after) => {
    expect(moved(before)).toBe(after)
  })

  it.each([
    [
      'traffic:\n  stable: "90"\n  canary: 10\n',
      'traffic.stable in f.yaml is "90": it must be a whole number from 0 to 1000000, without quotes',
    ],
    [
      'traffic:\n  stable: 90\n  canary: 10.5\n',
      'traffic.canary in f.yaml is 10.5: it must be a whole number from 0 to 1000000, without quotes',
    ],
    [
      'traffic:\n  stable: 90\n  canary:\n',
      'traffic.canary in f.yaml is empty: it must be a whole number from 0 to 1000000, without quotes',
    ],
    [
      'w: &w 10\ntraffic:\n  stable: 90\n  canary: *w\n',
      'traffic.canary in f.yaml is *w: it must be a whole number from 0 to 1000000, without quotes',
    ],
    ['a: &a {stable: 1, canary: 2}\ntraffic: *a\n', 'traffic in f.yaml must be the two weights, stable and canary, themselves'],
    ['traffic: 90/10\n', 'traffic in f.yaml must be the two weights, stable and canary, themselves'],
    [
      'x: &x 10\ntraffic:\n  stable: &s 90\n  canary: 10\ny: *s\n',
      'f.yaml cannot be edited without changing something else (anchors? odd indentation?): edit it by hand',
    ],
    [
      'traffic:\n  stable: 90\n  stable: 80\n  canary: 10\n',
      'f.yaml is not one YAML document: Map keys must be unique at line 3, column 3',
    ],
    [
      'traffic: {stable: 90\n',
      expect.stringMatching(/^f\.yaml is not one YAML document: Flow map in block collection must .*line 2, column 1$/),
    ],
    ['traffic: *x\n', expect.stringContaining('f.yaml cannot be understood: Unresolved alias')],
    ['a: 1\n---\nb: 2\n', expect.stringContaining('f.yaml is not one YAML document: ')],
    ['- stable\n', 'f.yaml holds - stable: it must hold values by their names, such as "role: stable"'],
    ['{role: stable}\n', 'f.yaml is written within braces: write each value on a line of its own'],
  ])('refuses %j', (text, message) => {
    expect(() => moved(text)).toThrow(expect.objectContaining({ message }))
  })
})

describe('withPodValues', () => {
  const given = (text: string, from: string, podValues = parseValues(from, 'from')) =>
    withPodValues(text, podValues, from, 'f.yaml')

  it.each([
    [
      'both blocks, with comments and quotes of canary',
      'role: stable\nimage:\n  tag: "1.1.1" # old\n# gateway\ngateway:\n  enabled: true\nenv:\n  A: "1"\n',
      "role: canary\nimage: # what runs\n  tag: '1.2.0' # new\nenv:\n  # loud\n  LOG_LEVEL: debug\n",
      "role: stable\nimage: # what runs\n  tag: '1.2.0' # new\n# gateway\ngateway:\n  enabled: true\nenv:\n  # loud\n  LOG_LEVEL: debug\n",
    ],
    [
      'env that is missing',
      'role: stable\nimage:\n  tag: "1"\n',
      'image:\n  tag: "1"\nenv:\n  DEVOPSAPI_VERSION: v2\n',
      'role: stable\nimage:\n  tag: "1"\nenv:\n  DEVOPSAPI_VERSION: v2\n',
    ],
    ['env that must go', 'env:\n  A: "1"\nrole: stable\n', 'role: canary\n', 'role: stable\n'],
    [
      'CRLF',
      'image:\r\n  tag: "1"\r\nrole: stable\r\n',
      'image:\n  tag: "2"\n  repository: r\n',
      'image:\r\n  tag: "2"\r\n  repository: r\r\nrole: stable\r\n',
    ],
    [
      'braces, with a comment behind',
      'env: {A: "1"} # mine\nrole: stable\n',
      'env:\n  B: |\n    two\n',
      'env:\n  B: |\n    two\nrole: stable\n',
    ],
    ['aliases, written out', 'env: {}\n', 'x: &x b\nenv: {A: *x}\n', 'env:\n  A: b\n'],
    ['no end of line', 'role: stable', 'image: {tag: "2"}', 'role: stable\nimage: {tag: "2"}\n'],
  ])('gives %s', (_, stable, canary, after) => {
    expect(given(stable, canary)).toBe(after)
  })

  it('writes anew what canary was installed with, where its file says something else', () => {
    const podValues = { image: { tag: '1.10' }, env: { FAULT_ERROR_RATE: '0.2' } }
    expect(given('image:\n  tag: "1.1.1"\nrole: stable\n', 'image:\n  tag: "1.1.1"\n', podValues)).toBe(
      'image:\n  tag: "1.10"\nrole: stable\nenv:\n  FAULT_ERROR_RATE: "0.2"\n',
    )
  })

  it('leaves what is the same as it is written', () => {
    const text = 'image: {tag: "1"} # mine\nrole: stable\n'
    expect(given(text, 'image:\n  tag: "1"\n')).toBe(text)
  })

  it('refuses to take away what something else refers to', () => {
    expect(() => given('image: &i\n  tag: "1"\npodLabels: *i\n', 'image:\n  tag: "2"\n')).toThrow('cannot be edited')
    expect(() => given('{image: {tag: "1"}}\n', 'image:\n  tag: "2"\n')).toThrow('within braces')
  })
})

it('The same podValues may be written in two ways', () => {
  expect(samePodValues({ image: { tag: '1' } }, { image: { tag: '1' }, env: {} })).toBe(true)
  expect(samePodValues({ image: { tag: '1' } }, { image: { tag: '1' }, env: { A: '1' } })).toBe(false)
  expect(samePodValues({ image: { tag: '1' } }, { image: { tag: '2' } })).toBe(false)
})

it('Differences have whole names', () => {
  const files = [{ traffic: { stable: 90 }, gateway: { className: 'a', hostnames: ['x'] } }, { gateway: { className: 'b' } }]
  expect(differences(files, { traffic: { stable: 90 }, gateway: { className: 'b', hostnames: ['x'] } })).toEqual({
    edited: [],
    lacking: [],
  })
  expect(differences(files, { traffic: { stable: 80 }, gateway: { className: 'b', hostnames: ['y'], create: false } })).toEqual({
    edited: ['traffic.stable', 'gateway.hostnames'],
    lacking: ['gateway.create'],
  })
})

describe('files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'canary-values-'))
  const path = join(folder, 'values-stable.yaml')
  afterAll(() => rmSync(folder, { recursive: true }))

  it('are read, and written whole', async () => {
    writeFileSync(path, 'role: stable\n', { mode: 0o640 })
    expect(readValues(path)).toEqual({ path, text: 'role: stable\n', values: { role: 'stable' } })
    await writeValues(path, 'role: stable\n', 'role: canary\n')
    expect(readFileSync(path, 'utf8')).toBe('role: canary\n')
  })

  it('are left alone where somebody else has changed them', async () => {
    writeFileSync(path, 'role: other\n')
    await expect(writeValues(path, 'role: stable\n', 'role: canary\n')).rejects.toThrow(`${path} was changed by somebody else`)
    expect(readFileSync(path, 'utf8')).toBe('role: other\n')
  })

  it('say when they are not there', () => {
    const missing = join(folder, 'none.yaml')
    expect(() => readValues(missing)).toThrow(`cannot read ${missing} (there is no such file)`)
    expect(existsSync(missing)).toBe(false)
  })

  it('laid over others must not hide what is edited', () => {
    writeFileSync(path, 'gateway:\n  create: false\n')
    expect(readOverlays([path])).toEqual([{ gateway: { create: false } }])
    writeFileSync(path, 'image: {tag: "1"}\nenv: {}\ntraffic: {canary: 1}\n')
    expect(() => readOverlays([path])).toThrow(
      `--values ${path} sets image and env and traffic.canary: that must stand in values-stable.yaml`,
    )
  })
})

import { describe, expect, it } from 'vitest'
import { editValues } from '../../../src/canary/values/editValues.ts'
import type { Values } from '../../../src/canary/values/values.ts'
import { withWeights } from '../../../src/canary/values/weights.ts'
import { seeded } from '../../seeded.ts'
import { helmReader } from './helmReader.ts'

/** The same values but for some keys, which are as in others, and left out where those have none. */
function withKeysOf(values: Values, others: Values, keys: readonly string[]): Values {
  const kept = Object.entries(values).filter(([key]) => !keys.includes(key) || key in others)
  return Object.fromEntries([...kept, ...Object.entries(others).filter(([key]) => keys.includes(key))])
}

const reader = helmReader()

async function edited(text: string, change: (values: Values) => Values): Promise<string> {
  const values = await reader.text(text, 'f.yaml')
  const file = await editValues(reader, { path: 'f.yaml', text, values }, change(values))
  expect(await reader.text(file.text, 'f.yaml')).toEqual(file.values)
  return file.text
}

describe('weights', () => {
  const moved = (text: string) => edited(text, (values) => withWeights(values, { stable: 75, canary: 25 }))

  it.each([
    [
      'a plain file',
      'role: stable\ntraffic:\n  stable: 90\n  canary: 10\n',
      'role: stable\ntraffic:\n  stable: 75\n  canary: 25\n',
    ],
    [
      'comments, order, odd spaces',
      '# top\ntraffic:   # split\n    canary:   10 # no comment\n    # between\n    stable: 90\t# last\n\n\nrole: "stable"  \n# end',
      '# top\ntraffic:   # split\n    canary:   25 # no comment\n    # between\n    stable: 75\t# last\n\n\nrole: "stable"  \n# end',
    ],
    [
      'CRLF',
      'traffic:\r\n  stable: 90\r\n  canary: 10\r\nrole: stable\r\n',
      'traffic:\r\n  stable: 75\r\n  canary: 25\r\nrole: stable\r\n',
    ],
    ['flow style', 'traffic: { stable: 90,canary: 10 } # x\n', 'traffic: { stable: 75,canary: 25 } # x\n'],
    ['braces all over', '{role: stable, traffic: {stable: 90, canary: 10}}', '{role: stable, traffic: {stable: 75, canary: 25}}'],
    ['braces all over, no traffic', '{role: stable}\n', '{role: stable, traffic: {stable: 75, canary: 25}}\n'],
    ['JSON', '{"role": "stable"}\n', '{"role": "stable", "traffic": {"stable": 75, "canary": 25}}\n'],
    ['quoted keys', '"traffic":\n  \'stable\': 90\n  "canary": 10\n', '"traffic":\n  \'stable\': 75\n  "canary": 25\n'],
    [
      'anchors',
      'traffic: &t\n  stable: &s 90\n  canary: 10\nenv: {A: "1"}\n',
      'traffic: &t\n  stable: &s 75\n  canary: 25\nenv: {A: "1"}\n',
    ],
    ['tags', 'traffic: !!map\n  stable: !!int "90"\n', 'traffic: !!map\n  stable: !!int 75\n  canary: 25\n'],
    [
      'numbers as YAML 1.1 has them',
      'traffic:\n  stable: 010 # eight\n  canary: 1_0\n',
      'traffic:\n  stable: 75 # eight\n  canary: 25\n',
    ],
    ['numbers in base two', 'traffic: {stable: 0b11, canary: 1e1}\n', 'traffic: {stable: 75, canary: 25}\n'],
    ['no end of line', 'traffic:\n  stable: 90\n  canary: 10', 'traffic:\n  stable: 75\n  canary: 25'],
    ['a byte order mark', '\ufefftraffic:\n  stable: 90\n  canary: 10\n', '\ufefftraffic:\n  stable: 75\n  canary: 25\n'],
    ['a byte order mark, no traffic', '\ufeffrole: stable\n', '\ufeffrole: stable\ntraffic:\n  stable: 75\n  canary: 25\n'],
    [
      'numbers that are there already',
      'traffic:\n  stable: 75\n  canary: 0x19\nx: 1\n',
      'traffic:\n  stable: 75\n  canary: 0x19\nx: 1\n',
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
    ['a start marker', '---\nrole: stable\n', '---\nrole: stable\ntraffic:\n  stable: 75\n  canary: 25\n'],
    ['a start marker with a comment', '--- # x\ntraffic:\n  stable: 1\n', '--- # x\ntraffic:\n  stable: 75\n  canary: 25\n'],
    ['a marker at the end', 'role: stable\n---\n', 'role: stable\ntraffic:\n  stable: 75\n  canary: 25\n---\n'],
    [
      'a marker at the end, with a comment',
      'traffic:\n  stable: 1\n---\n# x\n',
      'traffic:\n  stable: 75\n  canary: 25\n---\n# x\n',
    ],
    ['nothing', '', 'traffic:\n  stable: 75\n  canary: 25\n'],
    ['a start marker alone', '---\n', '---\ntraffic:\n  stable: 75\n  canary: 25\n'],
    ['comments alone', '# nothing\n', '# nothing\ntraffic:\n  stable: 75\n  canary: 25\n'],
    ['traffic in empty braces', 'traffic: {}\n', 'traffic: {stable: 75, canary: 25}\n'],
    ['one of two', 'traffic:\n    # mine\n    stable: 90\n', 'traffic:\n    # mine\n    stable: 75\n    canary: 25\n'],
    ['one of two, in braces', 'traffic: {stable: 90}\n', 'traffic: {stable: 75, canary: 25}\n'],
    ['neither, beside another', 'traffic:\n  preview: true\n', 'traffic:\n  preview: true\n  stable: 75\n  canary: 25\n'],
    ['a name that stands twice', 'traffic:\n  stable: 1\n  stable: 2\n', 'traffic:\n  stable: 1\n  stable: 75\n  canary: 25\n'],
    ['an alias', 'w: &w 10\ntraffic:\n  stable: 90\n  canary: *w\n', 'w: &w 10\ntraffic:\n  stable: 75\n  canary: 25\n'],
    [
      'an alias for both',
      'a: &a {stable: 1, canary: 2, announce: on}\ntraffic: *a # x\n',
      'a: &a {stable: 1, canary: 2, announce: on}\ntraffic: {stable: 75, canary: 25, announce: true} # x\n',
    ],
    [
      'what is merged, which counts more than what stands above it',
      'split: &split {stable: 90, canary: 10}\ntraffic: {<<: *split}\n',
      'split: &split {stable: 90, canary: 10}\ntraffic: {<<: *split, stable: 75, canary: 25}\n',
    ],
    [
      'what is merged, on lines of their own',
      'split: &split {stable: 90, canary: 10}\ntraffic:\n  <<: *split\n  # mine\nrole: stable\n',
      'split: &split {stable: 90, canary: 10}\ntraffic:\n  <<: *split\n  stable: 75\n  canary: 25\n  # mine\nrole: stable\n',
    ],
    [
      'what is merged into everything',
      'base: &base\n  traffic: {stable: 90, canary: 10, announce: true}\n<<: *base\n',
      'base: &base\n  traffic: {stable: 90, canary: 10, announce: true}\n<<: *base\ntraffic:\n  stable: 75\n  canary: 25\n  announce: true\n',
    ],
    [
      'what stands below what is merged',
      'split: &split {stable: 90, canary: 10}\ntraffic:\n  <<: *split\n  stable: 80\n  canary: 20\n',
      'split: &split {stable: 90, canary: 10}\ntraffic:\n  <<: *split\n  stable: 75\n  canary: 25\n',
    ],
  ])('are edited with %s, and nothing else is', async (_, before, after) => {
    // What Helm makes of a marker that stands alone at the end differs, of what stands before it, it does not.
    expect(await moved(before)).toBe(after)
  })

  const nothingSafe = 'Helm would then read something else from it (anchors, merges, odd indentation?)'
  it.each([
    [
      'what is merged and hides it',
      'split: &split {stable: 90, canary: 10}\ntraffic:\n  stable: 80\n  <<: *split\n',
      `${nothingSafe}: set traffic.canary to 25 (line 2), set traffic.stable to 75 (line 3) by hand`,
    ],
    [
      'an anchor that something else goes by',
      'role: stable\ntraffic:\n  stable: &s 90\n  canary: 10\nreplicas: *s\n',
      `${nothingSafe}: set traffic.stable to 75 (line 3), set traffic.canary to 25 (line 4) by hand`,
    ],
    [
      'keys with question marks',
      '? traffic\n: ? stable\n  : 90\n',
      `${nothingSafe}: set traffic.canary to 25 (line 1), set traffic.stable to 75 (line 2) by hand`,
    ],
    [
      'a file of sops',
      'traffic:\n  stable: 90\n  canary: 10\nsops:\n  mac: ENC[x]\n',
      'sops has encrypted it and would notice ("sops edit" does it): set traffic.stable to 75 (line 2), set traffic.canary to 25 (line 3) by hand',
    ],
    [
      'several documents',
      'a: 1\n---\ntraffic:\n  stable: 90\n---\nb: 1\n',
      /several YAML documents, which each Helm reads in its own way: set traffic\.canary to 25 \(line 3\), set traffic\.stable to 75 \(line 4\) by hand$/,
    ],
    [
      'ends of line that only Helm knows',
      'role: stable\rreplicas: 2\r',
      /^its layout is not clear \(.* line 1, column 7\): set traffic to \{"stable":75,"canary":25\} \(line 1\) by hand$/,
    ],
  ])('are left alone with %s', async (_, text, message) => {
    const said = await moved(text).catch(({ message }: Error) => message)
    const start = 'f.yaml cannot be edited safely, because '
    expect(said.slice(0, start.length)).toBe(start)
    if (typeof message === 'string') expect(said.slice(start.length)).toBe(message)
    else expect(said.slice(start.length)).toMatch(message)
  })
})

describe("another's values", () => {
  const keys = ['image', 'env', 'resources', 'tolerations', 'podAnnotations', 'extraVolumes']
  const given = (text: string, others: object) => edited(text, (values) => withKeysOf(values, others as Values, keys))

  it.each<[string, string, object, string]>([
    [
      "values, and none of the other's comments; one's own lines, order and quotes stay",
      'role: stable\nimage: # what runs\n  # $imagepolicy is ours\n  tag: \'1.1.1\' # old\n  repository: "r" # {"$imagepolicy": "x"}\n# gateway\ngateway:\n  enabled: yes\nenv:\n  A: "1"\n',
      { image: { tag: '1.2.0', repository: 'r' }, env: { A: '1', LOG_LEVEL: 'debug' } },
      'role: stable\nimage: # what runs\n  # $imagepolicy is ours\n  tag: \'1.2.0\' # old\n  repository: "r" # {"$imagepolicy": "x"}\n# gateway\ngateway:\n  enabled: yes\nenv:\n  A: "1"\n  LOG_LEVEL: debug\n',
    ],
    [
      'what is missing',
      'role: stable\nimage:\n  tag: "1"\n',
      { image: { tag: '1' }, env: { DEVOPSAPI_VERSION: 'v2' } },
      'role: stable\nimage:\n  tag: "1"\nenv:\n  DEVOPSAPI_VERSION: v2\n',
    ],
    ['nothing in the place of something', '# mine\nenv:\n  A: "1"\n\nrole: stable\n', {}, '# mine\n\nrole: stable\n'],
    ['an entry less', 'env:\n  A: "1" # x\n  # b\n  B: "2"\n  C: "3"\n', { env: { B: '2' } }, 'env:\n  # b\n  B: "2"\n'],
    ['an empty mapping', 'env: # x\n  A: "1"\n  B: "2"\nrole: stable\n', { env: {} }, 'env: {} # x\nrole: stable\n'],
    ['entries in the place of none', 'env: ~ # x\nrole: stable\n', { env: { A: '1' } }, 'env: # x\n  A: "1"\nrole: stable\n'],
    ['entries in the place of nothing', 'env:\nrole: stable\n', { env: { A: '1' } }, 'env:\n  A: "1"\nrole: stable\n'],
    ['an end of braces', 'env: {A: "1", B: "2", C: "3",} # x\n', { env: { A: '1' } }, 'env: {A: "1",} # x\n'],
    ['a beginning of braces', 'env: {A: "1", B: "2", C: "3"}\n', { env: { C: '4', D: '5' } }, 'env: {C: "4", D: "5"}\n'],
    [
      'CRLF',
      'image:\r\n  tag: "1"\r\nrole: stable\r\n',
      { image: { tag: '2', repository: 'r' } },
      'image:\r\n  tag: "2"\r\n  repository: r\r\nrole: stable\r\n',
    ],
    [
      'no end of line, nested',
      'resources:\n  limits:\n    memory: 192Mi',
      { resources: { limits: { memory: '192Mi', cpu: 1 } }, env: { A: 'a' } },
      'resources:\n  limits:\n    memory: 192Mi\n    cpu: 1\nenv:\n  A: a\n',
    ],
    ['no end of line', 'role: stable', { image: { tag: '2' } }, 'role: stable\nimage:\n  tag: "2"\n'],
    ['what is the same as it is written', 'image: {tag: "1"} # mine\n', { image: { tag: '1' } }, 'image: {tag: "1"} # mine\n'],
    [
      'aliases, written out',
      'x: &x {A: "1"}\nenv: *x # mine\n',
      { env: { A: '2', B: 'b' } },
      'x: &x {A: "1"}\nenv: {A: "2", B: b} # mine\n',
    ],
    ['what is merged', 'x: &x {A: "1"}\nenv:\n  <<: *x\n', { env: { A: '2' } }, 'x: &x {A: "1"}\nenv:\n  <<: *x\n  A: "2"\n'],
    [
      'lists, entry by entry',
      'tolerations: # all\n  - key: a # first\n    operator: Exists\n  # the second\n  - key: b\n',
      { tolerations: [{ key: 'c', operator: 'Exists' }, { key: 'b' }, { key: 'd', effect: 'NoSchedule' }] },
      'tolerations: # all\n  - key: c # first\n    operator: Exists\n  # the second\n  - key: b\n  - key: d\n    effect: NoSchedule\n',
    ],
    [
      'lists that are shorter, beside their key',
      'tolerations:\n- key: a\n  operator: Exists\n- key: b\n# end\nrole: stable\n',
      { tolerations: [{ operator: 'Exists' }] },
      'tolerations:\n- operator: Exists\n# end\nrole: stable\n',
    ],
    ['lists in brackets', 'tolerations: [{key: a}, {key: b}]\n', { tolerations: [{ key: 'c' }] }, 'tolerations: [{key: c}]\n'],
    ['a list in the place of another kind', 'tolerations: {}\n', { tolerations: [{ key: 'c' }] }, 'tolerations: [{key: c}]\n'],
    [
      'lines',
      'env:\n  A: |\n    one\n    two\n  B: "2"\n',
      { env: { A: 'three\n', B: '1\n2' } },
      'env:\n  A: "three\\n"\n  B: "1\\n2"\n',
    ],
    [
      'nested values',
      'resources:\n  limits:\n    memory: 192Mi # enough\n',
      { resources: { limits: { memory: '256Mi', cpu: 1 }, requests: { cpu: '100m' } } },
      'resources:\n  limits:\n    memory: "256Mi" # enough\n    cpu: 1\n  requests:\n    cpu: "100m"\n',
    ],
  ])('gives %s', async (_, text, others, after) => {
    expect(await given(text, others)).toBe(after)
  })

  const strings =
    'on off yes no y n Y N true null ~ 1_000 1_2 0b11 010 08 0o7 0x1F 1e3 1.10 .5 .inf .nan - = << 190:20:30 2001-12-14 +12 -1'
  it.each(
    strings
      .split(' ')
      .concat('', ' a', 'a ', 'a: b', 'a #b', '%a', '@a', '`a', "it's", 'é', 'tab\there', '!a', '&a', '*a', 'a\nb\n'),
  )('gives the string %j, whatever YAML 1.1 might take it for', async (value) => {
    const others = { image: { tag: value }, env: { [value || 'EMPTY']: value, B: value } }
    await given('image: {tag: "1"}\nenv:\n  A: x\n', others)
    await given('image:\n  tag: x\nenv: {B: x}\n', others)
  })

  it.each([
    ['image: &i\n  tag: "1"\npodLabels: *i\n', { image: { tag: '2' } }, 'set image.tag to "2" (line 2) by hand'],
    ['base: &base {env: {A: "1"}}\n<<: *base\n', {}, 'env is not written where it counts: remove env (line 1) by hand'],
  ])('leaves alone what something else refers to: %j', async (text, others, message) => {
    await expect(given(text, others)).rejects.toThrow(message)
  })
})

describe('generated files', () => {
  const random = seeded(7)
  const pick = <T>(...choices: T[]): T => choices[Math.floor(random() * choices.length)] as T
  const scalar = () =>
    pick('on', 'y', '010', '0b11', '1_000', '1e3', '"90"', "'x'", '~', '1.10', '2001-12-14', 'plain', '""', '190:20')
  const number = () => pick('90', '010', '0x1F', '0b11', '1_0', '5', '!!int "7"', '&n 3')
  const comment = () => pick('', '', ' # mine', ' # {"$imagepolicy": "x"}')

  /** As a person, or a program, might write it. */
  function values(): string {
    const traffic = pick(
      () => `traffic:\n  stable: ${number()}${comment()}\n  canary: ${number()}\n`,
      () => `traffic: {stable: ${number()}, canary: ${number()}}${comment()}\n`,
      () => `split: &split {stable: ${number()}, canary: 1}\ntraffic:\n  <<: *split\n${pick('', '  canary: 2\n')}`,
      () => `traffic:\n  announce: ${pick('on', 'no', 'true')}\n  stable: ${number()}\n  stable: ${number()}\n`,
      () => `"traffic":\n    'canary': ${number()}\n`,
      () => pick('', 'traffic: {}\n'),
    )()
    const env = pick(
      () => `env:\n  A: ${scalar()}${comment()}\n  "B": ${scalar()}\n`,
      () => `env: {A: ${scalar()}, B: ${scalar()}}\n`,
      () => `base: &base {A: ${scalar()}}\nenv:\n  <<: *base\n  C: ${scalar()}\n`,
      () => `env:\n  A: |\n    one\n    two\n`,
      () => '',
    )()
    const parts = [
      `role: stable${comment()}\n`,
      traffic,
      env,
      pick('', '# between\n\n'),
      `list: [${scalar()}, {a: ${scalar()}}]\n`,
    ]
    const shuffled = parts.map((part) => ({ part, at: random() })).toSorted((a, b) => a.at - b.at)
    const text = pick('', '---\n', '\ufeff') + shuffled.map(({ part }) => part).join('')
    return pick(text, text, text.replaceAll('\n', '\r\n'), text.replace(/\n$/, ''))
  }
  const tokens = ['75', '1000000', '0', 'on', '0o7', '1_000', '~', 'v1.2.0', '1.10', '', 'a: b', ' #']

  it.each(Array.from({ length: 25 }, () => values()))(
    'say after an edit just what they should, or are refused: %j',
    async (text) => {
      const before = await reader.text(text, 'f.yaml')
      const weights = { stable: Math.floor(random() * 1000), canary: Math.floor(random() * 1000) }
      const env = Object.fromEntries(['A', 'C'].flatMap((name) => pick([], [[name, pick(...tokens)]])))
      const wanted = withKeysOf(withWeights(before, weights), { env, image: { tag: pick(...tokens) } } as Values, [
        'env',
        'image',
      ])
      const file = await editValues(reader, { path: 'f.yaml', text, values: before }, wanted).catch(
        ({ message }: Error) => message,
      )
      if (typeof file === 'string') {
        expect(file).toMatch(/^f\.yaml cannot be edited safely, because .* by hand$/)
        return
      }
      expect(await helmReader().text(file.text, 'f.yaml')).toEqual(wanted)
      for (const [line] of text.matchAll(/^#.*$/gm)) expect(file.text).toContain(line)
    },
  )
})

import { describe, expect, it } from 'vitest'
import { parseManifest } from '../../../src/canary/cluster/parseManifest.ts'
import {
  compareManifests,
  comparePods,
  listDifferences,
  type PodTemplate,
  showDifference,
} from '../../../src/canary/promotion/manifest.ts'

const manifest = (spec: object, name = 'a') =>
  `---\n# Source: x\n${JSON.stringify({ kind: 'Service', metadata: { name }, spec })}\n`
const compare = (before: string, after: string) =>
  compareManifests(parseManifest(before), parseManifest(after)).map(showDifference)

describe('Two manifests', () => {
  it.each<[string, object, object, string[]]>([
    ['the same', { a: 1, b: [{ name: 'x' }] }, { b: [{ name: 'x' }], a: 1 }, []],
    ['another value', { type: 'a' }, { type: 'b' }, ['Service a: spec.type "a" → "b"']],
    ['a field more', {}, { a: { b: 1 } }, ['Service a: spec.a nothing → {"b":1}']],
    [
      'an entry of a list, by its name',
      { env: [{ name: 'A', value: '1' }] },
      {
        env: [
          { name: 'B', value: '2' },
          { name: 'A', value: '3' },
        ],
      },
      ['Service a: spec.env[A].value "1" → "3"', 'Service a: spec.env[B] nothing → {"name":"B","value":"2"}'],
    ],
    ['an entry of a list, by its place', { a: [1, 2] }, { a: [1, 3] }, ['Service a: spec.a[1] 2 → 3']],
    [
      'another order',
      { a: [{ name: 'x' }, { name: 'y' }] },
      { a: [{ name: 'y' }, { name: 'x' }] },
      ['Service a: spec.a [{"name":"x"},{"name":"y"}] → [{"name":"y"},{"name":"x"}]'],
    ],
    ['a key with a dot', { 'a.b/c': 1 }, { 'a.b/c': 2 }, ['Service a: spec."a.b/c" 1 → 2']],
  ])('may have %s', (_, before, after, lines) => {
    expect(compare(manifest(before), manifest(after))).toEqual(lines)
  })

  it('may have other objects, in any order and with other comments', () => {
    const [a, b] = [manifest({}), manifest({}, 'b')]
    expect(compare(a + b, b + a.replace('# Source: x\n', ''))).toEqual([])
    expect(compare(a, b)).toEqual(['Service a: would be deleted', 'Service b: is new'])
    expect(listDifferences(compareManifests([], parseManifest(a + b + manifest({}, 'c') + manifest({}, 'd'))))).toBe(
      'Service a: is new; Service b: is new; Service c: is new; 1 more, which --dry-run shows',
    )
  })
})

describe('The pods of stable and canary', () => {
  const pods = (role: string, rest: object = {}, name = 'app'): PodTemplate => ({
    metadata: { labels: { role, app: `devops-api-${role}`, config: `devops-api-${role}-config` } },
    spec: { containers: [{ name, image: 'x:v1-canary', ...rest }] },
  })
  const names = { stable: 'devops-api-stable', canary: 'devops-api-canary' }
  const fields = (judged: PodTemplate, given: PodTemplate) => comparePods(judged, given, names).map(({ field }) => field)

  it('are the same but for role and names', () => {
    expect(fields(pods('canary'), pods('stable'))).toEqual([])
    // What only sounds like a role is the same in both.
    const rest = { env: [{ name: 'TRACK', value: 'canary' }] }
    expect(fields(pods('canary', rest), pods('stable', rest))).toEqual([])
    expect(fields(pods('canary', {}, 'devops-api-canary'), pods('stable', {}, 'devops-api-stable'))).toEqual([])
  })

  it.each<[string, object, object, string[]]>([
    ['an image', { image: 'x:2' }, {}, ['spec.containers[app].image']],
    ['resources', { resources: { limits: { memory: '256Mi' } } }, {}, ['spec.containers[app].resources']],
    ['a version that names the role', {}, { image: 'x:v1-stable' }, ['spec.containers[app].image']],
  ])('differ in %s', (_, judged, given, expected) => {
    expect(fields(pods('canary', judged), pods('stable', given))).toEqual(expected)
  })

  it('differ where a name differs as well', () => {
    const found = fields(pods('canary', { image: 'x:2' }, 'devops-api-canary'), pods('stable', {}, 'devops-api-stable'))
    expect(found).toEqual(['spec.containers[devops-api-stable].image'])
  })
})

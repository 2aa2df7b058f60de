import { expect, it } from 'vitest'
import { differences } from '../../../src/canary/values/differences.ts'

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

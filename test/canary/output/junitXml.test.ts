import { expect, it } from 'vitest'
import { junitXml } from '../../../src/canary/output/junitXml.ts'
import { parseExpectation } from '../../../src/canary/verdict/expectation.ts'
import { reportOf, sampleOf } from './samples.ts'

it('has a test case for each gate', () => {
  expect(junitXml(reportOf(sampleOf(90, 0, 10)))).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="3" failures="2" errors="1" skipped="0" time="1.250">
  <testsuite name="canary check http://127.0.0.1:8000/version" tests="3" failures="2" errors="1" skipped="0" time="1.250">
    <testcase classname="canary" name="availability"><failure message="10 of 100 requests failed (10 %: 10 × 500), at most 1 % may"/></testcase>
    <testcase classname="canary" name="split"><error message="canary answered 10 of 100 requests (10 %), expected 10 % ± 5 points; too few requests to tell: as a rule, that takes 1,960"/></testcase>
    <testcase classname="canary" name="canary health"><failure message="canary failed 10 of 10 (100 %), stable 0 of 90 (0 %), allowed: 1 point more"/></testcase>
  </testsuite>
</testsuites>
`)
  const healthy = junitXml(reportOf(sampleOf(500, 0), parseExpectation('stable=100')))
  expect(healthy).toContain('<testsuites tests="3" failures="0" errors="0" skipped="1" time="1.250">')
  expect(healthy).toContain('name="availability"><system-out>0 of 500 requests failed, at most 1 % may</system-out></testcase>')
  expect(healthy).toContain('name="canary health"><skipped message="no request is meant for a canary"/></testcase>')
})

it('is one whatever a server says', () => {
  const sample = sampleOf(90, 10)
  sample.add({ version: `<"&'>`, role: 'x' })
  expect(junitXml({ ...reportOf(sample), url: 'http://x/?a&b' })).toContain("1 × &lt;&quot;&amp;'&gt; x")
})

import { expect, it } from 'vitest'
import { readOptions } from '../../src/demo/demoOptions.ts'

const read = (args: string[], PORT?: string) => readOptions(args, PORT === undefined ? {} : { PORT }, process.cwd(), 'chart')

it('has the chart of this checkout at port 8000, unless told otherwise', () => {
  const options = { chart: 'chart', values: [], stableValues: [], verbose: false, port: 8000 }
  expect(read([])).toEqual(options)
  const file = 'chart/examples/bad-canary.yaml'
  expect(read(['--values', file, '--stable-values', file, file, '--verbose'], '0')).toEqual({
    ...options,
    values: [file],
    stableValues: [file, file],
    verbose: true,
    port: 0,
  })
})

it.each(['', '-1', '65536', '0x50'])('refuses PORT %j', (PORT) => {
  expect(() => read([], PORT)).toThrow(`PORT is "${PORT}": it must be a whole number from 0 to 65535`)
})

it.each([
  ['--values', 'nothing.yaml'],
  ['--stable-values', 'chart/values.yaml', 'nothing.yaml'],
  ['--values', 'chart'],
])('refuses a file that is none: %s %s', (...args) => {
  expect(() => read(args)).toThrow(`there is no file ${args.at(-1)}`)
})

it('refuses a chart that is none', () => {
  expect(() => read(['--chart', 'src'])).toThrow('there is no chart in src: it must be a folder with a Chart.yaml')
  expect(() => read(['--run', ' '])).toThrow("--run is empty: it must be a command, such as 'node server.js'")
})

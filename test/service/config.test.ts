import { describe, expect, it } from 'vitest'
import { buildApp } from '../../src/service/app.ts'
import { ConfigError } from '../../src/service/config.ts'

describe('the environment', () => {
  it('has the defaults that the README states', async () => {
    const app = await buildApp({})
    expect(app.config).toEqual({
      DEVOPSAPI_VERSION: 'v1.1.1',
      PORT: 8080,
      KEEP_ALIVE_TIMEOUT_MS: 3_660_000,
      LOG_LEVEL: 'info',
      FAULT_ERROR_RATE: 0,
      FAULT_ERROR_STATUS: 500,
      FAULT_DELAY_MS: 0,
      FAULT_READY_AFTER_MS: 0,
      FAULT_RESET_RATE: 0,
      FAULT_CRASH_AFTER_MS: 0,
      FAULT_LEAK_MIB_PER_S: 0,
    })
    await app.close()
  })

  const printable = '1 to 128 printable ASCII characters without a space at either end'
  it.each([
    ['DEVOPSAPI_VERSION', '', printable],
    ['DEVOPSAPI_VERSION', ' v1', printable],
    ['DEVOPSAPI_VERSION', 'v1\n', printable],
    ['DEVOPSAPI_VERSION', 'v1\r\nx: y', printable],
    ['DEVOPSAPI_VERSION', 'vé', printable],
    ['DEVOPSAPI_VERSION', 'v'.repeat(129), printable],
    ['DEVOPSAPI_ROLE', 'Stable', 'one of stable, canary'],
    ['DEVOPSAPI_POD', 'a\tb', '1 to 253 printable ASCII characters without a space at either end'],
    ['HOST', '', 'an address of this machine'],
    ['PORT', 'http', 'a whole number from 0 to 65535 (0: any free port)'],
    ['PORT', '65536', 'a whole number from 0 to 65535 (0: any free port)'],
    ['PORT', 'Infinity', 'a whole number from 0 to 65535 (0: any free port)'],
    ['FAULT_ERROR_RATE', '-Infinity', 'a number from 0 to 1'],
    ['FAULT_LEAK_MIB_PER_S', '1e999', 'a number from 0 to 100'],
    ['PORT', '80.5', 'a whole number from 0 to 65535 (0: any free port)'],
    ['KEEP_ALIVE_TIMEOUT_MS', '999', 'a whole number from 1000 to 86400000'],
    ['KEEP_ALIVE_TIMEOUT_MS', '86400001', 'a whole number from 1000 to 86400000'],
    ['LOG_LEVEL', 'verbose', 'one of fatal, error, warn, info, debug, trace, silent'],
    ['FAULT_ERROR_RATE', '20%', 'a number from 0 to 1'],
    ['FAULT_ERROR_RATE', '1.5', 'a number from 0 to 1'],
    ['FAULT_ERROR_STATUS', '200', 'a whole number from 400 to 599'],
    ['FAULT_DELAY_MS', '-1', 'a whole number from 0 to 60000'],
    ['FAULT_DELAY_P99_MS', '0', 'a whole number from 1 to 60000'],
    ['FAULT_READY_AFTER_MS', '-2', 'a whole number from -1 to 2147483647 (-1: never)'],
    ['FAULT_RESET_RATE', '2', 'a number from 0 to 1'],
    ['FAULT_CRASH_AFTER_MS', '20s', 'a whole number from 0 to 2147483647 (0: never)'],
    ['FAULT_LEAK_MIB_PER_S', '101', 'a number from 0 to 100'],
  ])('refuses %s=%j', async (name, value, allowed) => {
    const refused = buildApp({ [name]: value })
    await expect(refused).rejects.toThrow(ConfigError)
    await expect(refused).rejects.toThrow(`${name} is ${JSON.stringify(value)}: it must be ${allowed}`)
  })

  it.each(['0', '900'])('refuses a 99th percentile of 800 ms with a median of %s ms', async (median) => {
    await expect(buildApp({ FAULT_DELAY_MS: median, FAULT_DELAY_P99_MS: '800' })).rejects.toThrow(
      `FAULT_DELAY_P99_MS is "800": it must be at least FAULT_DELAY_MS (${median}), which must be above 0`,
    )
  })

  it('names every bad variable at once', async () => {
    await expect(buildApp({ PORT: 'x', LOG_LEVEL: 'y' })).rejects.toThrow(/^PORT is "x": .*; LOG_LEVEL is "y": /)
  })

  it('accepts a version of 128 characters with spaces inside', async () => {
    const version = `v${' '.repeat(126)}1`
    const app = await buildApp({ DEVOPSAPI_VERSION: version })
    expect(app.config.DEVOPSAPI_VERSION).toBe(version)
    await app.close()
  })
})

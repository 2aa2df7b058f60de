import { defineConfig } from 'vitest/config'

// One cluster, one story: the files run one after the other.
const onCluster = { fileParallelism: false, testTimeout: 600_000, hookTimeout: 600_000, bail: 1 }

export default defineConfig({
  test: {
    // A hung test ends some day; how fast things are is a question for the bench.
    globalSetup: ['test/programsOnPath.ts', 'test/unpackChromium.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
    // Out of its sight: what only a process of its own can show (signals, timeouts, what the parser refuses), in process.test.ts.
    coverage: { include: ['src/**/*.ts'], reporter: ['text'] },
    projects: [
      { extends: true, test: { name: 'unit', include: ['test/*.test.ts', 'test/{service,chart,demo,canary}/**/*.test.ts'] } },
      { extends: true, test: { name: 'e2e', include: ['test/e2e/**/*.test.ts'], ...onCluster } },
      { extends: true, test: { name: 'integrations', include: ['test/integrations/**/*.test.ts'], ...onCluster } },
    ],
  },
})

import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

// What starts programs or a browser, and so waits more than it computes; and what replaces modules, for itself alone.
const process = [
  'test/service/{process.test.ts,page/*.test.ts}',
  'test/demo/{process,page,faults,anyCommand}.test.ts',
  'test/canary/{cli,output/progress}.test.ts',
  'test/canary/commands/*.test.ts',
  'test/chart/helmTest.test.ts',
  'test/canary/cluster/{findProgram,helmAndKubectl}.test.ts',
  'test/canary/sampling/sendRequests.test.ts',
  'test/service/onDemand.test.ts',
  // Works where the learner is.
  'test/tour/*.test.ts',
]

// One cluster, one story: the files run one after the other.
const onCluster = { fileParallelism: false, bail: 1 }

/** Without durations of an earlier run, large files start first; the tours are small, and take the longest. */
class ToursFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isTour = ({ moduleId }: TestSpecification) => Number(moduleId.includes('/test/tour/'))
    return (await super.sort(files)).toSorted((a, b) => isTour(b) - isTour(a))
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: ToursFirst },
    // A hung test ends some day; how fast things are is a question for the bench.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    // More than there are cores on small machines: half of the time, a test waits.
    maxWorkers: 5,
    expect: { poll: { timeout: 120_000 } },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          // Loads what is tested once for all files.
          isolate: false,
          include: ['test/*.test.ts', 'test/{service,chart,demo,canary}/**/*.test.ts'],
          exclude: process,
          globalSetup: 'test/programsOnPath.ts',
        },
      },
      {
        extends: true,
        test: { name: 'process', include: process, globalSetup: ['test/programsOnPath.ts', 'test/unpackChromium.ts'] },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['test/programsOnPath.ts', 'test/unpackChromium.ts'],
          ...onCluster,
        },
      },
      {
        extends: true,
        test: {
          name: 'integrations',
          include: ['test/integrations/**/*.test.ts'],
          globalSetup: 'test/programsOnPath.ts',
          ...onCluster,
        },
      },
    ],
  },
})

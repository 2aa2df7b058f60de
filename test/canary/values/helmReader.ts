import { HelmAndKubectl } from '../../../src/canary/cluster/helmAndKubectl.ts'
import { runProgram } from '../../../src/canary/cluster/runProgram.ts'
import { ValuesReader } from '../../../src/canary/values/valuesReader.ts'

/** A reader with the Helm on the PATH. */
export const helmReader = () =>
  new ValuesReader(new HelmAndKubectl({ chart: 'chart' }, { runProgram, signal: new AbortController().signal }))

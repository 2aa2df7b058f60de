import { HelmAndKubectl } from '../../../src/canary/cluster/helmAndKubectl.ts'
import { ValuesReader } from '../../../src/canary/values/valuesReader.ts'

/** A reader with the Helm on the PATH. */
export const helmReader = () => new ValuesReader(new HelmAndKubectl({}, new AbortController().signal))

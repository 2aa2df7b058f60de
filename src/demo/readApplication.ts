import { devopsApi } from '../canary/sampling/devopsApi.ts'
import { roleFrom } from '../canary/sampling/roleFrom.ts'
import { versionFrom } from '../canary/sampling/versionFrom.ts'
import { isPath } from '../canary/sampling/withPath.ts'
import { chartAnnotations } from '../canary/values/chartAnnotations.ts'
import type { Application } from './anyPage.ts'
import { Mistake } from './mistake.ts'

/**
 * How the application of a chart says its version, as its annotations have it for the CLI.
 * @throws {Mistake} where an annotation says what cannot be
 */
export async function readApplication(chart: string): Promise<Application> {
  const { path = devopsApi.path, ...annotations } = await chartAnnotations(chart)
  if (!isPath(path))
    throw new Mistake(`Chart.yaml says the path ${JSON.stringify(path)}: it must begin with one '/', such as /version`)
  try {
    return {
      path,
      versionFrom: versionFrom(annotations['version-from'] ?? devopsApi.versionFrom),
      roleFrom: roleFrom(annotations['role-from'] ?? devopsApi.roleFrom),
    }
  } catch (error) {
    throw new Mistake(`Chart.yaml does not say how the application answers: ${(error as Error).message}`)
  }
}

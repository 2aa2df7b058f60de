import { WrongUse } from '../errors.ts'
import { type Role, roles } from '../roles.ts'
import type { RoleFrom } from '../sampling/roleFrom.ts'
import { type Expectation, shares } from '../verdict/expectation.ts'
import { type ValuesReader, valuesPath } from './valuesReader.ts'
import { weightsOf } from './weights.ts'

/**
 * The split that a chart's values-stable.yaml and values-canary.yaml declare: weights, and what each release says as its version. Of
 * another chart than ours, only the tag of the image is known, which need not be what the application says: it counts where it must.
 * @param overlays laid over values-stable.yaml
 * @throws {WrongUse} with one line, when a file cannot be read or understood, or declares no weight above 0
 */
export async function declaredSplit(
  reader: ValuesReader,
  chart: string,
  overlays: readonly string[] = [],
  roleFrom?: RoleFrom,
): Promise<Expectation> {
  const [stable, canary] = await Promise.all([
    reader.release(chart, [valuesPath(chart, 'stable'), ...overlays]),
    reader.release(chart, [valuesPath(chart, 'canary')]),
  ])
  const releases = { stable, canary }
  const weights = weightsOf(stable.values)
  if (roles.every((role) => weights[role] === 0)) throw new WrongUse(`${valuesPath(chart, 'stable')} has no weight above 0`)
  const version = (role: Role) => {
    const { values, appVersion } = releases[role]
    const tag = `${values.image?.tag || appVersion}`
    const isOurs = values.role !== undefined
    const ofOthers = roleFrom?.text === 'version' ? tag : undefined
    return values.env?.DEVOPSAPI_VERSION ?? (isOurs ? `v${tag.replace(/^v/, '')}` : ofOthers)
  }
  const entries = roles.map((role) => ({ role, version: version(role), weight: weights[role] }))
  return shares(entries.map(({ version, ...entry }) => ({ ...entry, ...(version !== undefined && { version }) })))
}

import { Ajv } from 'ajv'
import fp from 'fastify-plugin'
import manifest from '../../package.json' with { type: 'json' }

/** The environment, checked. README.md tells what each variable means. */
export interface Config {
  readonly DEVOPSAPI_VERSION: string
  readonly DEVOPSAPI_ROLE?: 'stable' | 'canary'
  readonly DEVOPSAPI_POD?: string
  readonly HOST?: string
  readonly PORT: number
  readonly KEEP_ALIVE_TIMEOUT_MS: number
  readonly LOG_LEVEL: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent'
  readonly FAULT_ERROR_RATE: number
  readonly FAULT_ERROR_STATUS: number
  readonly FAULT_DELAY_MS: number
  readonly FAULT_DELAY_P99_MS?: number
  readonly FAULT_READY_AFTER_MS: number
  readonly FAULT_RESET_RATE: number
  readonly FAULT_CRASH_AFTER_MS: number
  readonly FAULT_LEAK_MIB_PER_S: number
}

declare module 'fastify' {
  interface FastifyInstance {
    config: Config
  }
}

/** A bad environment. The message is one line: each bad variable, its value, and what is allowed. */
export class ConfigError extends Error {}

const MAX_DELAY_MS = 60_000
const MAX_TIMER_MS = 2 ** 31 - 1 // setTimeout fires at once above this

// Such a value is sent in a header, where control characters and a space at either end are not legal (RFC 9110, 5.5).
const headerValue = (maxLength: number) => ({
  type: 'string',
  pattern: `^(?=.{1,${maxLength}}$)[!-~]([ -~]*[!-~])?$`,
  description: `1 to ${maxLength} printable ASCII characters without a space at either end`,
})

const wholeNumber = (minimum: number, maximum: number, note = '') => ({
  type: 'integer',
  minimum,
  maximum,
  description: `a whole number from ${minimum} to ${maximum}${note}`,
})

const number = (minimum: number, maximum: number) => ({
  type: 'number',
  minimum,
  maximum,
  default: 0,
  description: `a number from ${minimum} to ${maximum}`,
})

const oneOf = (...values: string[]) => ({ type: 'string', enum: values, description: `one of ${values.join(', ')}` })

// Each description ends the sentence "NAME must be …".
const properties = {
  DEVOPSAPI_VERSION: { ...headerValue(128), default: `v${manifest.version}` },
  DEVOPSAPI_ROLE: oneOf('stable', 'canary'),
  DEVOPSAPI_POD: headerValue(253),
  HOST: { type: 'string', minLength: 1, description: 'an address of this machine' },
  PORT: { ...wholeNumber(0, 65_535, ' (0: any free port)'), default: 8080 },
  // Above the time after which any gateway drops an idle connection, an hour: if the service did so first, a request could meet the closing.
  KEEP_ALIVE_TIMEOUT_MS: { ...wholeNumber(1_000, 86_400_000), default: 3_660_000 },
  LOG_LEVEL: { ...oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'), default: 'info' },
  FAULT_ERROR_RATE: number(0, 1),
  FAULT_ERROR_STATUS: { ...wholeNumber(400, 599), default: 500 },
  FAULT_DELAY_MS: { ...wholeNumber(0, MAX_DELAY_MS), default: 0 },
  FAULT_DELAY_P99_MS: wholeNumber(1, MAX_DELAY_MS),
  FAULT_READY_AFTER_MS: { ...wholeNumber(-1, MAX_TIMER_MS, ' (-1: never)'), default: 0 },
  FAULT_RESET_RATE: number(0, 1),
  FAULT_CRASH_AFTER_MS: { ...wholeNumber(0, MAX_TIMER_MS, ' (0: never)'), default: 0 },
  FAULT_LEAK_MIB_PER_S: number(0, 100),
} satisfies Record<keyof Config, object>

// Without the meta-schema, whose compilation is a tenth of the start, and which would only check the schema above.
const validate = new Ajv({
  allErrors: true,
  coerceTypes: true,
  useDefaults: true,
  removeAdditional: 'all',
  meta: false,
  validateSchema: false,
  // Else Infinity is compared with no limit.
  strictNumbers: false,
}).compile<Config>({ type: 'object', properties })

/**
 * Sets `app.config` from the environment given.
 * @throws {ConfigError} when a variable has a value that is not allowed
 */
export const config = fp(async (app, { env }: { env: NodeJS.ProcessEnv }) => {
  const refuse = (name: string, allowed: string) => `${name} is ${JSON.stringify(env[name] ?? '')}: it must be ${allowed}`
  const checked: unknown = { ...env }
  if (!validate(checked)) {
    const names = new Set(validate.errors?.map(({ instancePath }) => instancePath.slice(1) as keyof Config))
    throw new ConfigError([...names].map((name) => refuse(name, properties[name].description)).join('; '))
  }
  const { FAULT_DELAY_MS: median, FAULT_DELAY_P99_MS: p99 } = checked
  if (p99 !== undefined && (median === 0 || p99 < median)) {
    throw new ConfigError(refuse('FAULT_DELAY_P99_MS', `at least FAULT_DELAY_MS (${median}), which must be above 0`))
  }
  app.decorate('config', checked)
})

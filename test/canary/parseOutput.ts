import { Ajv } from 'ajv'
import schema from '../../docs/canary.schema.json' with { type: 'json' }
import type * as outputs from '../../src/canary/output/outputs.ts'

interface Outputs {
  check: outputs.CheckOutput
  watch: outputs.WatchOutput
  status: outputs.StatusOutput
  shift: outputs.ShiftOutput
  promote: outputs.PromoteOutput
  rollback: outputs.RollbackOutput
  history: outputs.HistoryOutput
}

const ajv = new Ajv({ allErrors: true, allowUnionTypes: true }).addSchema(schema, 'canary')

/** What a command has printed with --json, of the shape that docs/canary.schema.json gives it. */
export function parseOutput<Command extends keyof Outputs>(command: Command, text: string): Outputs[Command] {
  const definition = `${command[0]?.toUpperCase()}${command.slice(1)}Output`
  const output = JSON.parse(text)
  const isValid: boolean = ajv.validate(`canary#/definitions/${definition}`, output)
  if (!isValid) throw new Error(`${command} --json: ${ajv.errorsText()} in ${text}`)
  return output
}

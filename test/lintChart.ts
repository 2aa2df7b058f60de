import { execa } from 'execa'
import { findProgram } from '../src/canary/cluster/findProgram.ts'

const helm = await findProgram('helm')
for (const role of ['stable', 'canary']) {
  const args = ['lint', '--strict', '--quiet', 'chart', '--values', `chart/values-${role}.yaml`]
  const { exitCode } = await execa(helm, args, { stdio: 'inherit', reject: false })
  process.exitCode ||= exitCode ?? 1
}

import { execa } from 'execa'
import { findProgram } from '../src/canary/cluster/findProgram.ts'

const helm = await findProgram('helm')
if (!helm) throw new Error('helm is not on the PATH: install it, https://helm.sh/docs/intro/install/')
for (const role of ['stable', 'canary']) {
  const args = ['lint', '--strict', '--quiet', 'chart', '--values', `chart/values-${role}.yaml`]
  const { exitCode } = await execa(helm, args, { stdio: 'inherit', reject: false })
  process.exitCode ||= exitCode ?? 1
}

import { spawnSync } from 'node:child_process'

/** The part of the tests that depends on the gateway. */
const files = ['story', 'promotion', 'jumps', 'tls'].map((name) => `test/e2e/${name}.test.ts`)

const { GATEWAYS = '' } = process.env
const gateways = GATEWAYS.split(/[\s,]+/)
  .filter(Boolean)
  .map((entry) => entry.split('='))
if (gateways.length === 0 || gateways.some(([name, address]) => !name || !address)) {
  console.error(
    `GATEWAYS is ${JSON.stringify(GATEWAYS)}: give each GatewayClass of the cluster and where it listens, such as "traefik=127.0.0.1:8000 istio=127.0.0.1:8004"`,
  )
  process.exit(64)
}

// One after the other, to the end: they share a namespace, and what one does says nothing of the next.
const results = gateways.map(([name, address]) => {
  // Figures are of one gateway.
  const env = { ...process.env, GATEWAY_CLASS: name, GATEWAY_ADDRESS: address, FIGURES: '' }
  const args = ['run', 'e2e', '--', ...process.argv.slice(2), ...files]
  return { name, isPassed: spawnSync('npm', args, { env, stdio: 'inherit', shell: process.platform === 'win32' }).status === 0 }
})
for (const { name, isPassed } of results) console.log(`${name}: ${isPassed ? 'passed' : 'failed'}`)
process.exit(results.every(({ isPassed }) => isPassed) ? 0 : 1)

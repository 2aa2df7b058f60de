// What `helm test` runs: this release's Service must say this release's version and role; then the gateway is asked, if it can be.
const { URL: url, VERSION: version, ROLE: role, UNASKED: unasked } = process.env
const expected = `200 ${JSON.stringify({ version })} (app-version: ${version}, app-role: ${role})`

async function ask() {
  try {
    const reply = await fetch(url, { signal: AbortSignal.timeout(2000) })
    const { status, headers } = reply
    return `${status} ${await reply.text()} (app-version: ${headers.get('app-version')}, app-role: ${headers.get('app-role')})`
  } catch (error) {
    return error.cause?.message ?? error.message
  }
}

let answer = await ask()
// During a rollout a pod of the previous version may still answer.
for (let again = 0; answer !== expected && again < 30; again++) {
  await new Promise((resolve) => setTimeout(resolve, 1000))
  answer = await ask()
}

if (answer === expected) {
  console.log(`${url}: ${answer}`)
  if (unasked) console.log(unasked)
  // What follows the script on the command line is the canary CLI's, and so is the exit code then.
  if (process.argv.length > 1) {
    // A gateway follows an upgrade within seconds.
    await new Promise((resolve) => setTimeout(resolve, 3000))
    // Where a script comes from --eval, its arguments begin a place earlier than the CLI expects.
    process.argv.splice(1, 0, 'canary')
    await import('./canary.js')
  }
} else {
  console.error(`${url}: ${answer}, expected ${expected}`)
  process.exitCode = 1
}

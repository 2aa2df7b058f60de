const { PROMETHEUS_ADDRESS, PROMETHEUS_ADDRESS_FOR_CONTROLLERS = PROMETHEUS_ADDRESS } = process.env
if (!PROMETHEUS_ADDRESS)
  throw new Error('PROMETHEUS_ADDRESS is not set: give the host:port of a Prometheus that scrapes annotated pods')

export const prometheus = `http://${PROMETHEUS_ADDRESS}`

/** The same one, as Flagger and Argo Rollouts reach it. */
export const prometheusForControllers = `http://${PROMETHEUS_ADDRESS_FOR_CONTROLLERS}`

interface Series {
  metric: Record<string, string>
  value: [seconds: number, value: string]
}

/** Asks a Prometheus for the present value of an expression that gives a vector. */
export async function query(expression: string, at = prometheus): Promise<{ labels: Record<string, string>; value: number }[]> {
  const reply = await fetch(`${at}/api/v1/query`, { method: 'POST', body: new URLSearchParams({ query: expression }) })
  const { data, error } = (await reply.json()) as { data?: { result: Series[] }; error?: string }
  if (!data) throw new Error(`${expression}: ${error}`)
  return data.result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }))
}

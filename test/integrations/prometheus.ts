const { PROMETHEUS_ADDRESS } = process.env
if (!PROMETHEUS_ADDRESS)
  throw new Error('PROMETHEUS_ADDRESS is not set: give the host:port of a Prometheus that scrapes annotated pods')

/** As the tests reach it, and the controllers. */
export const prometheus = `http://${PROMETHEUS_ADDRESS}`

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

/** Series that count requests by backend, of the service itself and of gateways, by the name of who has them. */
export const metricsOf: Readonly<Record<string, string>> = {
  service: 'http_request_duration_seconds_bucket{role=~"stable|canary",route!~"/livez|/readyz|/metrics"}',
  // https://doc.traefik.io/traefik/observability/metrics/overview/#service-metrics
  traefik: 'traefik_service_request_duration_seconds_bucket{service=~".+-svc-.+(stable|canary).*@kubernetesgateway"}',
}

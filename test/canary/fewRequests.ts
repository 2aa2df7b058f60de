/** Limits by which a sample is small, and a busy machine is not taken for a slow canary: for tests that are not about what is judged. */
export const fewRequests = '--tolerance 30% --detect 30% --max-p95-increase 30s --timeout 60s'

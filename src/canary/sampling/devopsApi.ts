/** Where devops-api itself says its version and role, which is the default for any application. */
export const devopsApi = { path: '/version', versionFrom: 'json:/version', roleFrom: 'header:app-role' }

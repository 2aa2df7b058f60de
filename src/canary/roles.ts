export const roles = ['stable', 'canary'] as const
export type Role = (typeof roles)[number]

export const isRole = (name: string): name is Role => roles.some((role) => role === name)

/** The Helm release of a role, which is by convention also the name of its Deployment, its Service and, for stable, its HTTPRoute. */
export const releaseName = (chartName: string, role: Role): string => `${chartName}-${role}`

/** The releases of both roles. */
export type ReleaseNames = Readonly<Record<Role, string>>

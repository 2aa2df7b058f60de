import type { Role } from '../roles.ts'

/** What values files say; only what is read here has a type. */
export interface Values {
  readonly [key: string]: unknown
  readonly traffic?: Readonly<Partial<Record<Role, number>>>
  readonly image?: { readonly [key: string]: unknown; readonly tag?: string }
  readonly env?: { readonly [key: string]: string }
}

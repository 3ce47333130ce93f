/** A gateway key as it lasts. The token itself is shown once and kept only as an HMAC. */
export type KeyRecord = Readonly<{
  id: string
  name: string
  /** First characters, for display: `weir_3fA9…`. */
  prefix: string
  /** HMAC-SHA-256 of the token under the store's pepper, hexadecimal. */
  hash: string
  team?: string
  feature?: string
  customer?: string
  environment?: string
  tags: Readonly<Record<string, string>>
  /** Empty means every one. Globs with `*`. */
  models: readonly string[]
  providers: readonly string[]
  created_at_us: number
  expires_at_us?: number
  revoked_at_us?: number
}>

/** Everything that lasts and is not a receipt. */
export type Store = Readonly<{
  keys: Readonly<{
    add(key: KeyRecord): Promise<void>
    list(): Promise<readonly KeyRecord[]>
    revoke(id: string, at_us: number): Promise<boolean>
  }>
  /** Provider credentials, sealed by the caller before they come here. */
  secrets: Readonly<{
    put(provider: string, sealed: string): Promise<void>
    all(): Promise<Readonly<Record<string, string>>>
    remove(provider: string): Promise<boolean>
  }>
  /** Changes whenever another process wrote. */
  revision(): Promise<number>
  close(): Promise<void>
}>

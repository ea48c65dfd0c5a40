/** Bounds of a provisioning file. Beyond them it is refused, whatever it says. */
export const LIMITS = {
  fileBytes: 8 * 1024 * 1024,
  tenants: 1_000,
  plans: 1_000,
  rules: 10_000,
  accounts: 50_000,
  ranges: 100,
  accountsOfRange: 1_000_000,
  /** Subscribers of an account, those of its ranges included. */
  subscribers: 10_000,
  /** Buckets of an account, its subscribers' limits included. */
  buckets: 64,
  /** The highest priority of a bucket. */
  priority: 1_000_000,
  peers: 10_000,
  routes: 10_000,
  /** Items of a list that has no bound of its own. */
  names: 1_000,
  zones: 1_000,
  /** Prefixes of numbers or networks in one list. */
  prefixes: 20_000,
  /** Prefixes that all rules of a plan match on, its zones written out. */
  prefixesOfPlan: 200_000,
  holidays: 1_000,
  windows: 32,
} as const;

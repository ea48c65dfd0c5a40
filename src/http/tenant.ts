/** The tenant that a request is about: one that there is, and that its caller may see. */
import { TollkeeperError } from '../errors.ts';
import type { Caller } from './access.ts';

/** How a tenant's money is shown. */
export interface TenantCurrency {
  /** ISO 4217 alphabetic code. */
  currency: string;
  /** Decimal places of the smallest unit. */
  digits: number;
}

/** All tenants there are at the moment, by id. */
export type Tenants = Pick<ReadonlyMap<string, TenantCurrency>, 'get' | 'keys'>;

export const tenantQuery = {
  type: 'string',
  minLength: 1,
  maxLength: 100,
  description: 'May be left out by who sees one tenant only.',
} as const;

/** The query of a route that is about one tenant. */
export interface OfTenant {
  tenant?: string;
}

export const byTenant = {
  type: 'object',
  additionalProperties: false,
  properties: { tenant: tenantQuery },
} as const;

/**
 * The tenant that was asked for. Throws TENANT_UNKNOWN, also for one that the caller may not see,
 * and REQUEST_INVALID where several could be meant.
 */
export function tenantOf(
  asked: string | undefined,
  { caller, tenants }: { caller: Caller; tenants: Tenants },
): { tenant: string; currency: TenantCurrency } {
  const visible = [...tenants.keys()].filter((tenant) => caller.sees(tenant));
  const tenant = asked ?? (visible.length === 1 ? visible[0] : undefined);
  if (tenant === undefined)
    throw new TollkeeperError('REQUEST_INVALID', {
      problem: `tenant must be one of ${visible.join(', ')}`,
    });
  const currency = tenants.get(tenant);
  if (currency === undefined || !caller.sees(tenant))
    throw new TollkeeperError('TENANT_UNKNOWN', { tenant });
  return { tenant, currency };
}

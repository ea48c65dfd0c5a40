/**
 * Tenants and how their money is written, for commands: from the provisioning file that the
 * service was started with. Without it amounts are still right, but shown in smallest units.
 */
import type { Unit } from '../charging/request.ts';
import { TollkeeperError } from '../errors.ts';
import type { TenantCurrency } from '../http/tenant.ts';
import { formatMoney } from '../provisioning/money.ts';
import type { Call } from './command.ts';
import { readProvisioning, sampleProvisioning } from './provisioned.ts';

/** What is looked into where the service was perhaps started with another file. */
const unnamed = 'the sample (no --provisioning-file is named)';

/** By tenant. */
type Currencies = ReadonlyMap<string, TenantCurrency>;

type Asking = Pick<Call, 'settings' | 'note'>;

/** The tenants of the provisioning file; none, and a note why, where it cannot be read. */
export function readCurrencies({ settings, note }: Asking): Currencies {
  try {
    const { tenants } = readProvisioning(
      settings.provisioningFile ?? sampleProvisioning,
    ).provisioning;
    return new Map(
      tenants.map(({ id, currency: { code, digits } }) => [id, { currency: code, digits }]),
    );
  } catch (error) {
    if (!(error instanceof TollkeeperError)) throw error;
    note(`${error.message}\nMoney is shown in smallest units.`);
    return new Map();
  }
}

/** The tenant of `--tenant`, or the only one there is; a note where its currency is not known. */
export function chooseTenant(
  asked: string | undefined,
  { tenants, command, call }: { tenants: Currencies; command: string; call: Asking },
): { tenant: string; currency: TenantCurrency | undefined } {
  const [first, ...others] = tenants.keys();
  const tenant = asked ?? (others.length === 0 ? first : undefined);
  if (tenant === undefined) {
    const of = call.settings.provisioningFile === undefined ? ` of ${unnamed}` : '';
    const which = first === undefined ? '' : `: one of ${[...tenants.keys()].join(', ')}${of}`;
    throw new TollkeeperError('COMMAND_LINE_INVALID', {
      problem: `tollkeeper ${command}: --tenant is missing${which}`,
    });
  }
  const currency = tenants.get(tenant);
  if (currency === undefined && tenants.size > 0) {
    const file = call.settings.provisioningFile ?? unnamed;
    call.note(`${tenant} is not in ${file}; its money is shown in smallest units.`);
  }
  return { tenant, currency };
}

/** `12.34 EUR`, or `1000 octets`; money of an unknown currency as `1234 smallest units`. */
export function shownQuantity(
  smallest: number,
  unit: Unit | undefined,
  currency: TenantCurrency | undefined,
): string {
  if (unit !== 'money') return unit === 'units' ? String(smallest) : `${smallest} ${unit ?? ''}`;
  if (currency === undefined) return `${smallest} smallest units`;
  return formatMoney(smallest, currency);
}

/**
 * Tenants and how their money is written, for commands: from the configuration of the service.
 * Without it amounts are still right, but shown in smallest units.
 */
import type { Unit } from '../charging/request.ts';
import { TollkeeperError } from '../errors.ts';
import type { TenantCurrency } from '../http/tenant.ts';
import { compileStored } from '../provisioning/configuration.ts';
import { formatMoney } from '../provisioning/money.ts';
import type { Provisioning } from '../provisioning/provisioning.ts';
import type { Call } from './command.ts';
import { withStore } from './open-store.ts';
import { readProvisioning, sampleProvisioning } from './provisioned.ts';

/** What is looked into where the service was perhaps started with another file. */
const unnamed = 'the sample (no --provisioning-file is named)';

/** By tenant. */
interface Currencies extends ReadonlyMap<string, TenantCurrency> {
  /** Whether they are all the tenants that the service has, and not those of some file. */
  readonly isService: boolean;
}

type Asking = Pick<Call, 'settings' | 'note'>;

/**
 * The tenants of the service. One that has no configuration yet is known by its provisioning file; where
 * that cannot be read either there are none, and a note why.
 */
export async function readCurrencies({ settings, note }: Asking): Promise<Currencies> {
  const stored = await withStore(settings, (store) => store.readConfiguration());
  const compiled = stored && compileStored(stored);
  if (compiled?.ok) return currenciesOf(compiled.configuration.provisioning, { isService: true });
  try {
    const file = readProvisioning(settings.provisioningFile ?? sampleProvisioning);
    return currenciesOf(file.provisioning, { isService: false });
  } catch (error) {
    if (!(error instanceof TollkeeperError)) throw error;
    note(`${error.message}\nMoney is shown in smallest units.`);
    return currenciesOf({ tenants: [] }, { isService: false });
  }
}

function currenciesOf(
  { tenants }: Pick<Provisioning, 'tenants'>,
  from: Pick<Currencies, 'isService'>,
): Currencies {
  const currencies = tenants.map(
    ({ id, currency: { code, digits } }) => [id, { currency: code, digits }] as const,
  );
  return Object.assign(new Map(currencies), from);
}

/**
 * The tenant of `--tenant`, or the only one there is; a note where its currency is not known. Throws
 * COMMAND_LINE_INVALID where several could be meant, and TENANT_UNKNOWN for one that the service has
 * not.
 */
export function chooseTenant(
  asked: string | undefined,
  { tenants, command, call }: { tenants: Currencies; command: string; call: Asking },
): { tenant: string; currency: TenantCurrency | undefined } {
  const [first, ...others] = tenants.keys();
  const tenant = asked ?? (others.length === 0 ? first : undefined);
  const file = call.settings.provisioningFile ?? unnamed;
  if (tenant === undefined) {
    const of = tenants.isService ? '' : ` of ${file}`;
    const which = first === undefined ? '' : `: one of ${[...tenants.keys()].join(', ')}${of}`;
    throw new TollkeeperError('COMMAND_LINE_INVALID', {
      problem: `tollkeeper ${command}: --tenant is missing${which}`,
    });
  }
  const currency = tenants.get(tenant);
  if (currency === undefined && tenants.isService)
    throw new TollkeeperError('TENANT_UNKNOWN', { tenant });
  if (currency === undefined && tenants.size > 0)
    call.note(`${tenant} is not in ${file}; its money is shown in smallest units.`);
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

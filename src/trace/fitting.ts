// A provisioning file that fits a trace: an account for every subscriber that it speaks of and a
// rule for every service, priced so that nobody runs out. So a stranger's capture is charged at once,
// and whoever reads the file sees what to change.
import { avps } from '../diameter/dictionary.ts';
import { type Identity, type IdentityKind, identitiesOf } from './identities.ts';
import { avpKey, keyOf, messageAvps, type RawAvp, rawAvps, text, unsigned32 } from './raw-avp.ts';
import type { TraceEntry } from './trace-file.ts';

/** More are left out: the text of a provisioning file has a limit, and a range is then the way. */
const maxAccounts = 20_000;
/** Rating groups that one rule may list. */
const maxGroups = 1000;

type Unit = 'octets' | 'seconds' | 'units' | 'money';

/** What of a provisioning file is used here; its schema is the provisioning's own. */
export interface FittingFile {
  readonly tenants: readonly {
    readonly id: string;
    readonly name: string;
    readonly currency: string;
    readonly digits: number;
    readonly plans: readonly { readonly id: string; readonly rules: readonly FittingRule[] }[];
    readonly accounts: readonly FittingAccount[];
  }[];
  readonly peers: { readonly anybody: Record<string, never> };
  readonly routing: { readonly default: string };
}

interface FittingRule extends Pricing {
  readonly name: string;
  readonly match?: {
    readonly context: readonly string[];
    readonly ratingGroup: readonly (number | 'none')[];
  };
  readonly unit: Unit;
}

interface Pricing {
  readonly price?: {
    readonly amount: string;
    readonly per: string | number;
    readonly increment?: number;
  };
  readonly quota: { readonly size: string | number };
}

interface FittingAccount {
  readonly id: string;
  readonly plan: string;
  readonly maxSessions: number;
  readonly subscribers: readonly Partial<Record<IdentityKind, string>>[];
  readonly buckets: readonly {
    readonly id: string;
    readonly unit: Unit;
    readonly opening: string;
  }[];
}

/** The first unit that a service is seen to count decides; octets are most common, so they lead. */
const unitOf = new Map<number, Unit>([
  [avpKey(avps['CC-Total-Octets']), 'octets'],
  [avpKey(avps['CC-Input-Octets']), 'octets'],
  [avpKey(avps['CC-Output-Octets']), 'octets'],
  [avpKey(avps['CC-Time']), 'seconds'],
  [avpKey(avps['CC-Service-Specific-Units']), 'units'],
  [avpKey(avps['CC-Money']), 'money'],
]);
const unitOrder: readonly Unit[] = ['octets', 'seconds', 'units', 'money'];

const prices: Record<Unit, Pricing> = {
  octets: { price: { amount: '0.01', per: '1 MB', increment: 1 }, quota: { size: '10 MB' } },
  seconds: { price: { amount: '0.01', per: '1 min', increment: 1 }, quota: { size: '5 min' } },
  units: { price: { amount: '0.01', per: 1 }, quota: { size: 10 } },
  money: { quota: { size: '1.00' } },
};
const opening = '100000';

const serviceKeys = {
  context: avpKey(avps['Service-Context-Id']),
  ratingGroup: avpKey(avps['Rating-Group']),
  asked: avpKey(avps['Requested-Service-Unit']),
  used: avpKey(avps['Used-Service-Unit']),
} as const;

/** What the provisioning of each kind accepts as an identity. */
const acceptable: Record<IdentityKind, RegExp> = {
  e164: /^[0-9]{1,15}$/,
  imsi: /^[0-9]{6,15}$/,
  sip: /^\S{1,255}$/,
  nai: /^\S{1,255}$/,
  private: /^\S{1,255}$/,
};
const acceptableContext = /^\S{1,255}$/;

type Account = Map<string, { kind: IdentityKind; value: string }>;
type Groups = Map<number | 'none', Unit | undefined>;

/** Gathers what a trace needs. Memory grows with its subscribers, not with its requests. */
export class Fitting {
  readonly #accounts = new Set<Account>();
  readonly #accountOf = new Map<string, Account>();
  readonly #contexts = new Map<string, Groups>();
  readonly #left = new Set<string>();

  add(entry: TraceEntry): void {
    this.#addSubscriber(identitiesOf(entry.request));
    const members = messageAvps(entry.request) ?? [];
    const context = members.find((avp) => avpKey(avp) === serviceKeys.context);
    if (context !== undefined) this.#addServices(entry.request, members, context);
  }

  get accounts(): number {
    return Math.min(this.#accounts.size, maxAccounts);
  }

  /** What the file cannot hold, in words. */
  get notes(): string[] {
    const over = this.#accounts.size - maxAccounts;
    const many = over > 0 ? [`${over} subscribers are left out: write ranges for them`] : [];
    return [...many, ...this.#left];
  }

  file(): FittingFile {
    const tenant = {
      id: 'capture',
      name: 'Fits a capture',
      currency: 'EUR',
      // A price by the megabyte that is counted by the octet needs a small unit of money.
      digits: 6,
      plans: [{ id: 'seen', rules: this.#rules() }],
      accounts: [...this.#accounts].slice(0, maxAccounts).map(accountOf),
    };
    return { tenants: [tenant], peers: { anybody: {} }, routing: { default: tenant.id } };
  }

  /** Identities seen together are one subscriber, as in a replay that maps them. */
  #addSubscriber(identities: Identity[]): void {
    const usable = identities.flatMap(({ kind, value: written }) => {
      if (kind === 'user-name') return [];
      // Clients may write the international form with its plus sign; it is served without.
      const value = kind === 'e164' ? written.replace(/^\+/, '') : written;
      if (acceptable[kind].test(value)) return [{ kind, value }];
      this.#left.add(`an identity of kind ${kind} is not well formed`);
      return [];
    });
    if (usable.length === 0) return;
    const keys = usable.map(({ kind, value }) => `${kind}:${value}`);
    const account =
      keys.map((key) => this.#accountOf.get(key)).find((each) => each !== undefined) ?? new Map();
    this.#accounts.add(account);
    usable.forEach((identity, index) => {
      const key = keys[index]!;
      if (this.#accountOf.has(key)) return;
      this.#accountOf.set(key, account);
      account.set(key, identity);
    });
  }

  #addServices(message: Buffer, members: RawAvp[], contextAvp: RawAvp): void {
    const context = text(message, contextAvp);
    if (!acceptableContext.test(context)) {
      this.#left.add('a Service-Context-Id is not well formed');
      return;
    }
    const groups: Groups = this.#contexts.get(context) ?? new Map();
    this.#contexts.set(context, groups);
    const services = members.filter((avp) => avpKey(avp) === keyOf.services);
    // RFC 8506 5.2: without services the request as a whole is one.
    const parts = services.map((avp) => rawAvps(message, avp.dataStart, avp.dataEnd) ?? []);
    for (const part of parts.length > 0 ? parts : [members]) {
      const avp = part.find((each) => avpKey(each) === serviceKeys.ratingGroup);
      const group = avp === undefined ? 'none' : (unsigned32(message, avp) ?? 'none');
      groups.set(group, groups.get(group) ?? unitIn(message, part));
    }
  }

  #rules(): FittingRule[] {
    const rules: FittingRule[] = [...this.#contexts].flatMap(([context, groups], index) => {
      const usual: Unit = context.startsWith('32260@') ? 'seconds' : 'octets';
      return unitOrder.flatMap((unit) => {
        const list = [...groups].filter(([, seen]) => (seen ?? usual) === unit);
        if (list.length === 0) return [];
        const ratingGroup = list.slice(0, maxGroups).map(([group]) => group);
        const name = `context-${index + 1}-${unit}`;
        return [{ name, match: { context: [context], ratingGroup }, unit, ...prices[unit] }];
      });
    });
    return rules.length > 0 ? rules : [{ name: 'any', unit: 'octets', ...prices.octets }];
  }
}

function unitIn(message: Buffer, service: RawAvp[]): Unit | undefined {
  const seen = new Set<Unit>();
  for (const avp of service) {
    const key = avpKey(avp);
    if (key !== serviceKeys.asked && key !== serviceKeys.used) continue;
    for (const member of rawAvps(message, avp.dataStart, avp.dataEnd) ?? []) {
      const unit = unitOf.get(avpKey(member));
      if (unit !== undefined) seen.add(unit);
    }
  }
  return unitOrder.find((unit) => seen.has(unit));
}

/** One subscriber holds one identity of each kind; further ones are devices of the same account. */
function accountOf(account: Account, index: number): FittingAccount {
  const subscribers: Partial<Record<IdentityKind, string>>[] = [];
  for (const { kind, value } of account.values()) {
    const free = subscribers.find((subscriber) => subscriber[kind] === undefined);
    if (free === undefined) subscribers.push({ [kind]: value });
    else free[kind] = value;
  }
  return {
    id: `capture-${index + 1}`,
    plan: 'seen',
    maxSessions: 1000,
    subscribers,
    buckets: [{ id: 'main', unit: 'money', opening }],
  };
}

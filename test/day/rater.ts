/**
 * Rates a day again from the gateways' own log: what was reported, and how much was granted. Slow
 * and obvious on purpose, and without a line of the product: the price lists are written down here
 * a second time (`prices.ts`), money is counted in BigInt, and each account is gone through from
 * its first request to its last.
 */
import { type Tariff, tariffAt } from './prices.ts';

/** What a request reported and was granted for one service. */
export interface Line {
  key: string;
  ratingGroup: number | undefined;
  /** Units used up to a change of tariff, and after it. */
  used: bigint;
  usedAfter: bigint;
  /** When that change was, in ms; undefined: there was none. */
  changedAt: number | undefined;
  /** Units that the answer granted; 0: none. */
  granted: bigint;
  /** When the tariff of what was granted changes. */
  changesAt: number | undefined;
}

/** One request that was carried out. */
export interface Entry {
  account: string;
  /** Empty: a one-time event. */
  session: string;
  context: string;
  /** When it was sent, in ms. */
  at: number;
  called?: string;
  visited?: string;
  lines: readonly Line[];
  ends: boolean;
  /** An event that gives a former debit back: that event's name. */
  refunds?: string;
  /** An event's own name. */
  event?: string;
}

export interface Balance {
  money: bigint;
  /** What is left of each bundle. */
  bundles: Map<string, bigint>;
}

/** What a service of a session holds and has paid for. */
interface Holding {
  tariff: Tariff;
  /** Units that money has paid for under this tariff. */
  paid: bigint;
  fromBundle: bigint;
  forMoney: bigint;
}

export class Rater {
  readonly #plan: string;
  readonly #balance: Balance;
  readonly #holdings = new Map<string, Holding>();
  readonly #debits = new Map<
    string,
    { money: bigint; bundle: string | undefined; units: bigint }
  >();

  constructor(plan: string, opening: Balance) {
    this.#plan = plan;
    this.#balance = { money: opening.money, bundles: new Map(opening.bundles) };
  }

  /** What the account has when nothing is promised any more. */
  get balance(): Balance {
    return this.#balance;
  }

  rate(entry: Entry): void {
    if (entry.refunds !== undefined) this.#refund(entry.refunds);
    else if (entry.session === '') this.#event(entry);
    else this.#report(entry);
  }

  #report(entry: Entry): void {
    // All that was used within the grants, then what is given back, then what went beyond them.
    const beyond = entry.lines.map((line) => ({ line, ...this.#within(entry, line) }));
    for (const { line } of beyond) this.#giveBack(entry, line);
    for (const { line, before, after } of beyond) this.#beyond(entry, line, { before, after });
    for (const line of entry.lines) if (!entry.ends) this.#promise(entry, line);
    if (!entry.ends) return;
    for (const [name, holding] of this.#holdings) {
      if (!name.startsWith(`${entry.session} `)) continue;
      this.#put(holding.tariff.bundle, holding.fromBundle);
      this.#holdings.delete(name);
    }
  }

  #within(entry: Entry, line: Line): { before: bigint; after: bigint } {
    const holding = this.#holdings.get(nameOf(entry, line));
    if (holding === undefined) return { before: line.used, after: line.usedAfter };
    let before = line.used;
    const bundled = least(before, holding.fromBundle);
    holding.fromBundle -= bundled;
    before -= bundled;
    const bought = least(before, holding.forMoney);
    holding.forMoney -= bought;
    this.#pay(holding, bought);
    before -= bought;
    // No tariff that changes with the time of day has a bundle.
    const later = least(line.usedAfter, holding.forMoney);
    if (later > 0n) {
      this.#change(holding, this.#tariff(entry, line, line.changedAt));
      holding.forMoney -= later;
      this.#pay(holding, later);
    }
    return { before, after: line.usedAfter - later };
  }

  #giveBack(entry: Entry, line: Line): void {
    const holding = this.#holdings.get(nameOf(entry, line));
    if (holding === undefined) return;
    this.#put(holding.tariff.bundle, holding.fromBundle);
    holding.fromBundle = 0n;
    holding.forMoney = 0n;
  }

  #beyond(entry: Entry, line: Line, { before, after }: { before: bigint; after: bigint }): void {
    if (before + after === 0n) return;
    const name = nameOf(entry, line);
    const holding = this.#holdings.get(name) ?? holdingOf(this.#tariff(entry, line));
    this.#holdings.set(name, holding);
    const { bundle } = holding.tariff;
    const bundled = least(before, this.#left(bundle));
    this.#put(bundle, -bundled);
    this.#pay(holding, before - bundled);
    if (after === 0n) return;
    this.#change(holding, this.#tariff(entry, line, line.changedAt));
    this.#pay(holding, after);
  }

  #promise(entry: Entry, line: Line): void {
    if (line.granted === 0n) return;
    const name = nameOf(entry, line);
    // What changes then holds until then.
    const { changesAt } = line;
    const tariff = this.#tariff(entry, line, changesAt === undefined ? undefined : changesAt - 1);
    const holding = this.#holdings.get(name) ?? holdingOf(tariff);
    this.#change(holding, tariff);
    holding.fromBundle = least(line.granted, this.#left(tariff.bundle));
    holding.forMoney = line.granted - holding.fromBundle;
    this.#put(tariff.bundle, -holding.fromBundle);
    this.#holdings.set(name, holding);
  }

  #event(entry: Entry): void {
    for (const line of entry.lines) {
      const tariff = this.#tariff(entry, line);
      const units = least(line.used, this.#left(tariff.bundle));
      const money = tariff.total(line.used - units);
      this.#put(tariff.bundle, -units);
      this.#balance.money -= money;
      if (entry.event !== undefined)
        this.#debits.set(entry.event, { money, bundle: tariff.bundle, units });
    }
  }

  #refund(event: string): void {
    const debit = this.#debits.get(event);
    if (debit === undefined) throw new Error(`${event} was never debited`);
    this.#balance.money += debit.money;
    this.#put(debit.bundle, debit.units);
    this.#debits.delete(event);
  }

  #tariff(entry: Entry, line: Line, at = entry.at): Tariff {
    const tariff = tariffAt(this.#plan, { ...entry, at, ratingGroup: line.ratingGroup });
    if (tariff === undefined) throw new Error(`nothing rates ${JSON.stringify(entry.session)}`);
    return tariff;
  }

  /** Another tariff counts from its own first unit. */
  #change(holding: Holding, tariff: Tariff): void {
    if (holding.tariff.name === tariff.name) return;
    holding.tariff = tariff;
    holding.paid = 0n;
  }

  #pay(holding: Holding, units: bigint): void {
    const { tariff, paid } = holding;
    this.#balance.money -= tariff.total(paid + units) - tariff.total(paid);
    holding.paid += units;
  }

  #left(bundle: string | undefined): bigint {
    return bundle === undefined ? 0n : (this.#balance.bundles.get(bundle) ?? 0n);
  }

  #put(bundle: string | undefined, units: bigint): void {
    if (bundle === undefined || units === 0n) return;
    this.#balance.bundles.set(bundle, this.#left(bundle) + units);
  }
}

const nameOf = (entry: Entry, line: Line): string => `${entry.session} ${line.key}`;
const holdingOf = (tariff: Tariff): Holding => ({
  ...{ tariff, paid: 0n, fromBundle: 0n, forMoney: 0n },
});
const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);

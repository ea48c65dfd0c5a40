/**
 * What captured sessions must cost, worked out a second time: each service has what it used and
 * what it was granted, a price is a function of all that a session had money pay for, and a bundle
 * is used up before money. It takes requests in the order in which they took effect, and says after
 * each what was to be answered and what every bucket must hold.
 */
import type { Asked, AskedService, Granted, GrantedService, Unit } from './reading.ts';

export interface Tariff {
  contexts: readonly string[];
  groups: readonly (number | 'none')[];
  unit: Unit;
  /** `amount` of the smallest unit of money for each `per` units, in whole increments. */
  amount: bigint;
  per: bigint;
  increment: bigint;
  /** Granted where the client does not say; the least and the most that is granted. */
  size: bigint;
  minimum: bigint;
  maximum: bigint;
  /** Seconds; -1: none. */
  validity: number;
}

export interface Holding {
  unit: Unit;
  available: bigint;
  reserved: bigint;
}

/** `bucket cause` -> what it moved: available, then reserved. */
export type Moves = Record<string, [number, number]>;

export interface Effect {
  answer: Granted;
  /** Undefined: the request leaves no record. */
  moves: Moves | undefined;
}

interface Service {
  /** Units that money has paid for. */
  paid: bigint;
  /** What is held for it in each bucket, in the order of drawing. */
  held: { bucket: string; units: bigint; amount: bigint }[];
}

interface Session {
  account: string;
  context: string;
  open: boolean;
  services: Map<string, Service>;
  /** What was asked under each number. */
  numbers: Map<number, string>;
}

export interface Crowd {
  /** Nothing was reserved, and the client is to come back soon. */
  putOff: boolean;
  /** All usage that was not granted went to money. */
  lastOnly: boolean;
}

export class Reckoning {
  readonly sessions = new Map<string, Session>();
  readonly #tariffs: readonly Tariff[];
  /** By account, then by bucket in the order of drawing: those of units, then money. */
  readonly accounts: ReadonlyMap<string, Map<string, Holding>>;
  readonly #accountOf: ReadonlyMap<string, string>;
  #moves: Moves = {};
  #crowd: Crowd = { putOff: false, lastOnly: false };

  constructor(given: {
    tariffs: readonly Tariff[];
    accounts: ReadonlyMap<string, Map<string, Holding>>;
    accountOf: ReadonlyMap<string, string>;
  }) {
    this.#tariffs = given.tariffs;
    this.accounts = given.accounts;
    this.#accountOf = given.accountOf;
  }

  openOn(account: string): number {
    return [...this.sessions.values()].filter((one) => one.open && one.account === account).length;
  }

  /**
   * `crowd`: what became of a request that others were faster than again and again.
   */
  apply(asked: Asked, crowd: Crowd = { putOff: false, lastOnly: false }): Effect {
    this.#moves = {};
    this.#crowd = crowd;
    const session = this.sessions.get(asked.session);
    if (asked.kind === 'event') return refused(5012);
    if (session === undefined) return asked.kind === 'initial' ? this.#open(asked) : refused(5002);
    if (session.numbers.has(asked.number) || asked.kind === 'initial') return refused(5012);
    if (!session.open && asked.services.every(({ used }) => used === undefined))
      return refused(5002);
    session.numbers.set(asked.number, asked.content);
    const ending = asked.kind === 'termination' || !session.open;
    const services = this.#serve(session, asked, ending);
    if (!session.open) return { answer: { code: 5002, services: {} }, moves: this.#moves };
    const denial = asked.level === 'command' ? denialOf(services) : undefined;
    if (asked.kind === 'termination' || denial !== undefined) this.#close(session);
    return { answer: answerOf(asked, services, denial), moves: this.#moves };
  }

  /** The session's client was not heard of for too long. */
  supervise(name: string): Moves {
    this.#moves = {};
    const session = this.sessions.get(name);
    if (session === undefined) throw new Error(`there is no session ${name}`);
    this.#close(session);
    return this.#moves;
  }

  #open(asked: Asked): Effect {
    const account = asked.identities
      .map((identity) => this.#accountOf.get(identity))
      .find((one) => one !== undefined);
    if (account === undefined) return refused(5030);
    const { context } = asked;
    if (!this.#tariffs.some(({ contexts }) => contexts.includes(context))) return refused(5031);
    const numbers = new Map([[asked.number, asked.content]]);
    const session: Session = { account, context, open: true, services: new Map(), numbers };
    const services = this.#serve(session, asked, false);
    const denial = asked.level === 'command' ? denialOf(services) : undefined;
    if (denial !== undefined) return refused(denial);
    this.sessions.set(asked.session, session);
    return { answer: answerOf(asked, services, undefined), moves: this.#moves };
  }

  #close(session: Session): void {
    for (const service of session.services.values()) this.#release(session, service);
    session.open = false;
  }

  #serve(session: Session, asked: Asked, ending: boolean): Granted['services'] {
    const settled = asked.services.map((one) => {
      const tariff = this.#tariffOf(asked.context, one);
      const service = serviceOf(session, one);
      const used = (tariff && one.used?.[tariff.unit]) ?? 0n;
      return { one, tariff, service, over: this.#useGranted(session, service, { used, tariff }) };
    });
    for (const { service } of settled) this.#release(session, service);
    for (const { tariff, service, over } of settled)
      if (tariff !== undefined) this.#useMore(session, service, { over, tariff });
    const answers: Granted['services'] = {};
    for (const { one, tariff, service } of settled)
      answers[one.key] = this.#grant(session, service, { one, tariff, ending });
    return answers;
  }

  #tariffOf(context: string, { group }: AskedService): Tariff | undefined {
    return this.#tariffs.find(
      ({ contexts, groups }) => contexts.includes(context) && groups.includes(group),
    );
  }

  /** Usage is paid from what is held for it; what is left over is returned. */
  #useGranted(
    session: Session,
    service: Service,
    { used, tariff }: { used: bigint; tariff: Tariff | undefined },
  ): bigint {
    let rest = used;
    for (const part of service.held) {
      const units = least(rest, part.units);
      const amount = this.#isMoney(session, part.bucket)
        ? least(part.amount, pay(service, units, tariff))
        : units;
      this.#move(session, part.bucket, 'debit', [0n, -amount]);
      part.units -= units;
      part.amount -= amount;
      rest -= units;
    }
    return rest;
  }

  /** Beyond what was held: a bundle as far as it goes, then money, below zero if it must. */
  #useMore(
    session: Session,
    service: Service,
    { over, tariff }: { over: bigint; tariff: Tariff },
  ): void {
    let rest = over;
    for (const [bucket, holding] of this.#buckets(session)) {
      const money = holding.unit === 'money';
      if (!money && this.#crowd.lastOnly) continue;
      if (!money && holding.unit !== tariff.unit) continue;
      const units = money ? rest : least(rest, most(holding.available, 0n));
      const amount = money ? pay(service, units, tariff) : units;
      this.#move(session, bucket, 'overrun', [-amount, 0n]);
      rest -= units;
    }
  }

  #release(session: Session, service: Service): void {
    for (const { bucket, amount } of service.held)
      this.#move(session, bucket, 'release', [amount, -amount]);
    service.held = [];
  }

  #grant(
    session: Session,
    service: Service,
    { one, tariff, ending }: { one: AskedService; tariff: Tariff | undefined; ending: boolean },
  ): GrantedService {
    const plain = { code: 2001, granted: -1, validity: -1, final: false };
    const used = Object.values(one.used ?? {}).some((units) => units > 0n);
    if (tariff === undefined)
      return used || (!ending && one.asked !== undefined) ? { ...plain, code: 5031 } : plain;
    if (ending || one.asked === undefined) return plain;
    if (Object.keys(one.asked).length > 0 && one.asked[tariff.unit] === undefined)
      return { ...plain, code: 5031 };
    if (this.#crowd.putOff) return { ...plain, validity: SOON };
    const wanted = least(tariff.maximum, one.asked[tariff.unit] || tariff.size);
    const useful = least(tariff.minimum, wanted);
    const held: Service['held'] = [];
    let [rest, left, paid] = [wanted, 0n, service.paid];
    for (const [bucket, { unit, available }] of this.#buckets(session)) {
      if (unit !== 'money' && unit !== tariff.unit) continue;
      const reach =
        unit === 'money'
          ? affordable(tariff, { paid, budget: available, upTo: rest + useful })
          : most(available, 0n);
      const units = least(rest, reach);
      const amount = unit === 'money' ? cost(tariff, paid + units) - cost(tariff, paid) : units;
      if (unit === 'money') paid += units;
      if (units > 0n) held.push({ bucket, units, amount });
      rest -= units;
      left += reach - units;
    }
    if (wanted - rest < useful) return { ...plain, code: 4012 };
    for (const { bucket, amount } of held)
      this.#move(session, bucket, 'reserve', [-amount, amount]);
    service.held = held;
    const { validity } = tariff;
    return { ...plain, granted: Number(wanted - rest), validity, final: left < useful };
  }

  #buckets({ account }: Session): Map<string, Holding> {
    const buckets = this.accounts.get(account);
    if (buckets === undefined) throw new Error(`there is no account ${account}`);
    return buckets;
  }

  #isMoney(session: Session, bucket: string): boolean {
    return this.#buckets(session).get(bucket)?.unit === 'money';
  }

  #move(session: Session, bucket: string, cause: string, by: [bigint, bigint]): void {
    const holding = this.#buckets(session).get(bucket);
    if (holding === undefined) throw new Error(`there is no bucket ${bucket}`);
    if (by.every((amount) => amount === 0n)) return;
    holding.available += by[0];
    holding.reserved += by[1];
    const [available, reserved] = this.#moves[`${bucket} ${cause}`] ?? [0, 0];
    this.#moves[`${bucket} ${cause}`] = [available + Number(by[0]), reserved + Number(by[1])];
  }
}

/** Validity-Time for a client that is put off. */
const SOON = 10;

const least = (a: bigint, b: bigint) => (a < b ? a : b);
const most = (a: bigint, b: bigint) => (a > b ? a : b);

/** RFC 8506 5.1.2: usage of a service identifier may be for the quota of its rating group. */
function serviceOf(session: Session, one: AskedService): Service {
  const own = session.services.get(one.key);
  const ofGroup = one.asked === undefined ? session.services.get(String(one.group)) : undefined;
  const service = own ?? ofGroup ?? { paid: 0n, held: [] };
  if (own === undefined && ofGroup === undefined) session.services.set(one.key, service);
  return service;
}

function pay(service: Service, units: bigint, tariff: Tariff | undefined): bigint {
  if (tariff === undefined) return 0n;
  const before = cost(tariff, service.paid);
  service.paid += units;
  return cost(tariff, service.paid) - before;
}

/** The price of so many units from the first one on, rounded up once. */
function cost({ amount, per, increment }: Tariff, units: bigint): bigint {
  const whole = ((units + increment - 1n) / increment) * increment;
  return (whole * amount + per - 1n) / per;
}

/** Found by trying: the most units whose price is within the budget. */
function affordable(
  tariff: Tariff,
  { paid, budget, upTo }: { paid: bigint; budget: bigint; upTo: bigint },
): bigint {
  const fits = (units: bigint) =>
    cost(tariff, paid + units) - cost(tariff, paid) <= most(budget, 0n);
  let [low, high] = [0n, upTo];
  while (low < high) {
    const middle = (low + high + 1n) / 2n;
    if (fits(middle)) low = middle;
    else high = middle - 1n;
  }
  return low;
}

function refused(code: number): Effect {
  return { answer: { code, services: {} }, moves: undefined };
}

function denialOf(services: Granted['services']): number | undefined {
  return Object.values(services).find(({ code }) => code !== 2001)?.code;
}

/** At command level a grant is the request's own, and so is the code. */
function answerOf(
  asked: Asked,
  services: Granted['services'],
  denial: number | undefined,
): Granted {
  if (denial !== undefined) return { code: denial, services: {} };
  if (asked.level === 'services') return { code: 2001, services };
  const granted = Object.values(services).filter((one) => one.validity >= 0 || one.granted >= 0);
  return { code: 2001, services: Object.fromEntries(granted.map((one) => ['none', one])) };
}

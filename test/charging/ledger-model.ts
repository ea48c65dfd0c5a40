/**
 * Charging told a second time, slowly: one account, counted unit by unit in BigInt, with no code of
 * the product in it. What it says is what the product must say, to the unit.
 */

export interface ModelBucket {
  id: string;
  kind: 'octets' | 'money';
  floor: bigint;
  expiresAt?: number;
  paysFor?: readonly string[];
  available: bigint;
  reserved: bigint;
  charged: bigint;
  expired: bigint;
}

export interface ModelRule {
  name: string;
  /** Absent: free. */
  price?: { amount: bigint; per: bigint; increment: bigint };
  size: bigint;
  minimum: bigint;
  maximum: bigint;
  validity?: number;
  announcesEnd: boolean;
}

export interface ModelAsk {
  group: number;
  used?: number;
  /** 0: of the server's choice. */
  ask?: number;
}

export interface ModelRequest {
  kind: 'initial' | 'update' | 'termination';
  session: string;
  number: number;
  refused: boolean;
  reserving: boolean;
  /** Usage beyond its grant goes to the last bucket. */
  lastOnly: boolean;
  services: readonly ModelAsk[];
}

interface ModelService {
  rule: ModelRule;
  /** Units that money has paid for. */
  rated: bigint;
  grant?: {
    parts: { bucket: string; units: bigint; amount: bigint }[];
    validUntil?: number;
    validity?: number;
  };
}

interface ModelSession {
  state: 'open' | 'closed';
  services: Map<number, ModelService>;
  answered: { number: number; content: string; at: number; answer: string }[];
  numbers: Set<number>;
  superviseAt: number;
}

const WINDOW = 16;
const AGE = 600_000;

export class Ledger {
  readonly buckets: ModelBucket[];
  readonly rules: ReadonlyMap<number, ModelRule>;
  readonly supervision: number;
  readonly grace: number;
  readonly sessions = new Map<string, ModelSession>();

  constructor(of: {
    buckets: ModelBucket[];
    rules: ReadonlyMap<number, ModelRule>;
    supervision: number;
    grace: number;
  }) {
    this.buckets = of.buckets;
    this.rules = of.rules;
    this.supervision = of.supervision;
    this.grace = of.grace;
  }

  /** The answer in words: the outcome, then `group:outcome:granted:final` for each service. */
  ask(request: ModelRequest, now: number): string {
    const session = this.sessions.get(request.session);
    const content = JSON.stringify([request.kind, request.services]);
    if (session === undefined) {
      if (request.kind !== 'initial') return 'unknown-session';
    } else {
      const same = session.answered.filter(({ number }) => number === request.number);
      const again = same.find((one) => one.content === content);
      if (again !== undefined) return again.answer;
      if (same.length > 0) return 'contradiction';
      if (session.numbers.has(request.number))
        return ['success', ...request.services.map(({ group }) => `${group}:success::`)].join(' ');
      if (request.kind === 'initial') return 'contradiction';
    }
    if (session !== undefined && session.state === 'closed') {
      const answer = request.refused ? 'refused' : 'unknown-session';
      if (!request.services.some(({ used }) => used !== undefined)) return answer;
      this.#expire(now);
      this.#settle(session, request, now);
      this.#keep(session, request, { content, answer, now });
      return answer;
    }
    const own = session ?? {
      state: 'open' as const,
      services: new Map(),
      answered: [],
      numbers: new Set<number>(),
      superviseAt: 0,
    };
    this.sessions.set(request.session, own);
    this.#expire(now);
    this.#settle(own, request, now);
    const closes = request.refused || request.kind === 'termination';
    const words = request.services.map((one) =>
      closes || one.ask === undefined
        ? `${one.group}:success::`
        : this.#grant(own, one, { now, reserving: request.reserving }),
    );
    const answer = request.refused ? 'refused' : ['success', ...words].join(' ');
    if (closes) this.#close(own, now);
    else {
      let longest = 0;
      for (const { grant } of own.services.values())
        if (grant?.validity !== undefined) longest = Math.max(longest, grant.validity);
      own.superviseAt = now + (longest > 0 ? 2 * longest : this.supervision);
    }
    this.#keep(own, request, { content, answer, now });
    return answer;
  }

  /** Lets time come to `now`: what is due happens. */
  tick(now: number): void {
    for (const session of this.sessions.values()) {
      if (session.state === 'closed') continue;
      if (session.superviseAt <= now) {
        this.#expire(now);
        this.#close(session, now);
        continue;
      }
      const due = [...session.services.values()].filter(
        ({ grant }) => grant?.validUntil !== undefined && grant.validUntil + this.grace <= now,
      );
      if (due.length > 0) this.#expire(now);
      for (const service of due) this.#giveBack(service, now);
    }
  }

  #keep(
    session: ModelSession,
    { number }: ModelRequest,
    { content, answer, now }: { content: string; answer: string; now: number },
  ): void {
    session.answered = session.answered.filter(({ at }) => now - at < AGE);
    session.answered.push({ number, content, at: now, answer });
    session.answered = session.answered.slice(-WINDOW);
    session.numbers.add(number);
  }

  #close(session: ModelSession, now: number): void {
    session.state = 'closed';
    for (const service of session.services.values()) this.#giveBack(service, now);
  }

  #expire(now: number): void {
    for (const bucket of this.buckets)
      if (isOver(bucket, now) && bucket.available > 0n) {
        bucket.expired += bucket.available;
        bucket.available = 0n;
      }
  }

  #giveBack(service: ModelService, now: number): void {
    for (const { bucket: id, amount } of service.grant?.parts ?? []) {
      const bucket = this.#bucket(id);
      bucket.reserved -= amount;
      if (isOver(bucket, now)) bucket.expired += amount;
      else bucket.available += amount;
    }
    delete service.grant;
  }

  /** Within the grants of all services, then what is left of these is free, then beyond them. */
  #settle(session: ModelSession, request: ModelRequest, now: number): void {
    const beyond = new Map<ModelAsk, bigint>();
    for (const one of request.services) {
      let service = session.services.get(one.group);
      if (service === undefined) {
        if (one.used === undefined) continue;
        service = { rule: this.#rule(one.group), rated: 0n };
        session.services.set(one.group, service);
      }
      let rest = BigInt(one.used ?? 0);
      for (const part of service.grant?.parts ?? []) {
        const bucket = this.#bucket(part.bucket);
        while (rest > 0n && part.units > 0n) {
          const cost = bucket.kind === 'money' ? priceOfNext(service) : 1n;
          if (bucket.kind === 'money') service.rated += 1n;
          part.units -= 1n;
          part.amount -= cost;
          bucket.reserved -= cost;
          bucket.charged += cost;
          rest -= 1n;
        }
      }
      beyond.set(one, rest);
    }
    for (const one of request.services) {
      const service = session.services.get(one.group);
      if (service !== undefined) this.#giveBack(service, now);
    }
    for (const [one, rest] of beyond) {
      const service = session.services.get(one.group)!;
      if (service.rule.price !== undefined) this.#payBeyond(service, rest, !request.lastOnly, now);
    }
  }

  /** Bucket by bucket as far as each reaches; the last takes what is left, whatever it holds. */
  #payBeyond(service: ModelService, units: bigint, mayChoose: boolean, now: number): void {
    let rest = units;
    const last = this.buckets.at(-1)!;
    for (const bucket of this.buckets) {
      if (bucket !== last && !(mayChoose && pays(bucket, service.rule, now))) continue;
      while (rest > 0n) {
        const cost = bucket.kind === 'money' ? priceOfNext(service) : 1n;
        const has = bucket.available > 0n ? bucket.available : 0n;
        if (bucket !== last && cost > has) break;
        bucket.available -= cost;
        bucket.charged += cost;
        if (bucket.kind === 'money') service.rated += 1n;
        rest -= 1n;
      }
    }
  }

  #grant(
    session: ModelSession,
    { group, ask = 0 }: ModelAsk,
    { now, reserving }: { now: number; reserving: boolean },
  ): string {
    const rule = this.#rule(group);
    const service = session.services.get(group) ?? { rule, rated: 0n };
    session.services.set(group, service);
    if (!reserving) return `${group}:success::`;
    let wanted = ask === 0 ? rule.size : BigInt(ask);
    if (wanted > rule.maximum) wanted = rule.maximum;
    const { validity } = rule;
    const until = validity === undefined ? {} : { validUntil: now + validity, validity };
    if (rule.price === undefined) {
      service.grant = { parts: [], ...until };
      return `${group}:success:${wanted}:`;
    }
    const useful = wanted < rule.minimum ? wanted : rule.minimum;
    const before = service.rated;
    const parts: { bucket: string; units: bigint; amount: bigint }[] = [];
    let rest = wanted;
    /** Useful units that would still be there after the grant. */
    let left = 0n;
    for (const bucket of this.buckets) {
      if (!pays(bucket, rule, now)) continue;
      let budget = bucket.available - bucket.floor;
      const part = { bucket: bucket.id, units: 0n, amount: 0n };
      while (rest > 0n) {
        const cost = bucket.kind === 'money' ? priceOfNext(service) : 1n;
        if (cost > (budget > 0n ? budget : 0n)) break;
        if (bucket.kind === 'money') service.rated += 1n;
        budget -= cost;
        part.units += 1n;
        part.amount += cost;
        rest -= 1n;
      }
      if (part.units > 0n) parts.push(part);
      const probe = { ...service };
      for (let unit = 0n; unit < useful; unit++) {
        const cost = bucket.kind === 'money' ? priceOfNext(probe) : 1n;
        if (cost > (budget > 0n ? budget : 0n)) break;
        probe.rated += 1n;
        budget -= cost;
        left += 1n;
      }
      if (rest === 0n && left >= useful) break;
    }
    service.rated = before;
    if (wanted - rest < useful) return `${group}:credit-limit-reached::`;
    for (const { bucket: id, amount } of parts) {
      const bucket = this.#bucket(id);
      bucket.available -= amount;
      bucket.reserved += amount;
    }
    service.grant = { parts, ...until };
    const final = left < useful && rule.announcesEnd ? 'final' : '';
    return `${group}:success:${wanted - rest}:${final}`;
  }

  #rule(group: number): ModelRule {
    return this.rules.get(group)!;
  }

  #bucket(id: string): ModelBucket {
    return this.buckets.find((bucket) => bucket.id === id)!;
  }
}

const isOver = ({ expiresAt }: ModelBucket, now: number): boolean =>
  expiresAt !== undefined && now >= expiresAt;

function pays(bucket: ModelBucket, rule: ModelRule, now: number): boolean {
  return (
    !isOver(bucket, now) && (bucket.paysFor === undefined || bucket.paysFor.includes(rule.name))
  );
}

/** What one unit more costs: every increment is paid when it begins. */
function priceOfNext({ rule: { price }, rated }: Pick<ModelService, 'rule' | 'rated'>): bigint {
  if (price === undefined) return 0n;
  const whole = (units: bigint): bigint => {
    let increments = units / price.increment;
    if (increments * price.increment < units) increments += 1n;
    const product = increments * price.increment * price.amount;
    return product % price.per === 0n ? product / price.per : product / price.per + 1n;
  };
  return whole(rated + 1n) - whole(rated);
}

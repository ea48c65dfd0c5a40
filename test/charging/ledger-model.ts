/**
 * Charging told a second time, slowly: one account, counted unit by unit in BigInt, with no code of
 * the product in it. What it says is what the product must say, to the unit.
 */

export interface ModelBucket {
  id: string;
  kind: 'octets' | 'money';
  floor: bigint;
  startsAt?: number;
  expiresAt?: number;
  /** Filled again at `endsAt`; its periods begin at `from` and in UTC. */
  renewal?: {
    every: 'hour' | 'day' | 'week' | 'month';
    from: number;
    amount: bigint;
    rollover: bigint;
  };
  /** Over so long after its first use. */
  lasts?: number;
  /** When the present period ends; absent: it has none, or has not begun. */
  endsAt?: number;
  /** It pays for nothing, it limits these subscribers. */
  limits?: readonly string[];
  paysFor?: readonly string[];
  available: bigint;
  reserved: bigint;
  charged: bigint;
  expired: bigint;
  renewed: bigint;
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
  subscriber: string;
  number: number;
  refused: boolean;
  reserving: boolean;
  /** Usage beyond its grant goes to the last bucket. */
  lastOnly: boolean;
  services: readonly ModelAsk[];
}

interface ModelPart {
  bucket: string;
  units: bigint;
  amount: bigint;
  /** The end of the bucket's period that it was taken in. */
  period?: number | undefined;
}

interface ModelService {
  rule: ModelRule;
  /** Units that money has paid for. */
  rated: bigint;
  grant?: {
    parts: ModelPart[];
    /** What it holds of limits. */
    limits: ModelPart[];
    validUntil?: number;
    validity?: number;
  };
}

interface ModelSession {
  subscriber: string;
  state: 'open' | 'closed';
  services: Map<number, ModelService>;
  answered: { number: number; content: string; at: number; answer: string }[];
  numbers: Set<number>;
  superviseAt: number;
}

const most = 2n ** 53n;
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
      this.#turn(now);
      this.#settle(session, request, now);
      this.#keep(session, request, { content, answer, now });
      return answer;
    }
    const own = session ?? {
      subscriber: request.subscriber,
      state: 'open' as const,
      services: new Map(),
      answered: [],
      numbers: new Set<number>(),
      superviseAt: 0,
    };
    this.sessions.set(request.session, own);
    this.#turn(now);
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
        this.#turn(now);
        this.#close(session, now);
        continue;
      }
      const due = [...session.services.values()].filter(
        ({ grant }) => grant?.validUntil !== undefined && grant.validUntil + this.grace <= now,
      );
      if (due.length > 0) this.#turn(now);
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

  /** Time takes what is over and brings what a new period brings. */
  #turn(now: number): void {
    for (const bucket of this.buckets) {
      const { renewal, endsAt = Number.POSITIVE_INFINITY, startsAt = now } = bucket;
      if (isOver(bucket, now)) {
        if (bucket.available > 0n) this.#lose(bucket, bucket.available);
      } else if (renewal !== undefined && endsAt <= now && startsAt <= now) {
        if (bucket.available > renewal.rollover)
          this.#lose(bucket, bucket.available - renewal.rollover);
        bucket.available += renewal.amount;
        bucket.renewed += renewal.amount;
        bucket.endsAt = endOfPeriod(renewal, now);
      }
    }
  }

  #lose(bucket: ModelBucket, amount: bigint): void {
    bucket.available -= amount;
    bucket.expired += amount;
  }

  #giveBack(service: ModelService, now: number): void {
    const { parts = [], limits = [] } = service.grant ?? {};
    for (const { bucket: id, amount, period } of [...parts, ...limits]) {
      const bucket = this.#bucket(id);
      bucket.reserved -= amount;
      bucket.available += amount;
      const isLater = period !== undefined && bucket.endsAt !== undefined && bucket.endsAt > period;
      if (isOver(bucket, now) || isLater) this.#lose(bucket, amount);
    }
    delete service.grant;
  }

  /** The limits that hold for what a subscriber uses under a rule. */
  #limits(subscriber: string, rule: ModelRule, now: number): ModelBucket[] {
    return this.buckets.filter(
      (bucket) => bucket.limits?.includes(subscriber) && serves(bucket, rule, now),
    );
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
      const limits = service.grant?.limits ?? [];
      for (const part of service.grant?.parts ?? []) {
        const bucket = this.#bucket(part.bucket);
        while (rest > 0n && part.units > 0n) {
          const cost = bucket.kind === 'money' ? priceOfNext(service) : 1n;
          if (bucket.kind === 'money') service.rated += 1n;
          part.units -= 1n;
          part.amount -= cost;
          bucket.reserved -= cost;
          bucket.charged += cost;
          for (const limit of limits) {
            const cap = this.#bucket(limit.bucket);
            const counted = cap.kind !== 'money' ? 1n : bucket.kind === 'money' ? cost : 0n;
            limit.amount -= counted;
            cap.reserved -= counted;
            cap.charged += counted;
          }
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
      if (service.rule.price === undefined) continue;
      const limits = this.#limits(session.subscriber, service.rule, now);
      this.#payBeyond(service, { units: rest, mayChoose: !request.lastOnly, limits, now });
    }
  }

  /** Bucket by bucket as far as each reaches; the last takes what is left, whatever it holds. */
  #payBeyond(
    service: ModelService,
    of: { units: bigint; mayChoose: boolean; limits: readonly ModelBucket[]; now: number },
  ): void {
    const { mayChoose, limits, now } = of;
    let rest = of.units;
    const last = this.buckets.filter((bucket) => bucket.limits === undefined).at(-1)!;
    for (const bucket of this.buckets) {
      if (bucket !== last && !(mayChoose && pays(bucket, service.rule, now))) continue;
      while (rest > 0n) {
        const cost = bucket.kind === 'money' ? priceOfNext(service) : 1n;
        const has = bucket.available > 0n ? bucket.available : 0n;
        if (bucket !== last && cost > has) break;
        take(bucket, cost, now);
        for (const limit of limits) {
          const counted = limit.kind !== 'money' ? 1n : bucket.kind === 'money' ? cost : 0n;
          take(limit, counted, now);
        }
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
      service.grant = { parts: [], limits: [], ...until };
      return `${group}:success:${wanted}:`;
    }
    const useful = wanted < rule.minimum ? wanted : rule.minimum;
    const before = service.rated;
    const limits = this.#limits(session.subscriber, rule, now);
    /** What is still free of the tightest limits. */
    const free = { octets: most, money: most };
    for (const { kind, available, floor } of limits)
      if (available - floor < free[kind]) free[kind] = available - floor;
    const parts: ModelPart[] = [];
    let rest = wanted;
    let cost = 0n;
    /** Useful units that would still be there after the grant. */
    let left = 0n;
    /** What these would cost. */
    let probed = 0n;
    for (const bucket of this.buckets) {
      if (!pays(bucket, rule, now)) continue;
      let budget = bucket.available - bucket.floor;
      const part = { bucket: bucket.id, units: 0n, amount: 0n };
      while (rest > 0n) {
        const next = bucket.kind === 'money' ? priceOfNext(service) : 1n;
        if (!reaches(next, budget) || free.octets < 1n) break;
        if (bucket.kind === 'money') {
          if (!reaches(next, free.money)) break;
          service.rated += 1n;
          free.money -= next;
          cost += next;
        }
        free.octets -= 1n;
        budget -= next;
        part.units += 1n;
        part.amount += next;
        rest -= 1n;
      }
      if (part.units > 0n) parts.push(part);
      const probe = { ...service };
      for (let unit = 0n; unit < useful; unit++) {
        const next = bucket.kind === 'money' ? priceOfNext(probe) : 1n;
        if (!reaches(next, budget)) break;
        if (bucket.kind === 'money') {
          if (!reaches(next, free.money - probed)) break;
          probed += next;
        }
        probe.rated += 1n;
        budget -= next;
        left += 1n;
      }
    }
    service.rated = before;
    const units = wanted - rest;
    if (units < useful) return `${group}:credit-limit-reached::`;
    if (left > free.octets) left = free.octets;
    const held = limits
      .map(({ id, kind }): ModelPart => {
        return { bucket: id, units, amount: kind === 'money' ? cost : units };
      })
      .filter(({ amount }) => amount > 0n);
    for (const part of [...parts, ...held]) {
      const bucket = this.#bucket(part.bucket);
      bucket.available -= part.amount;
      bucket.reserved += part.amount;
      begin(bucket, now);
      part.period = bucket.endsAt;
    }
    service.grant = { parts, limits: held, ...until };
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

const isOver = ({ expiresAt, lasts, endsAt }: ModelBucket, now: number): boolean =>
  (expiresAt !== undefined && now >= expiresAt) ||
  (lasts !== undefined && endsAt !== undefined && now >= endsAt);

const pays = (bucket: ModelBucket, rule: ModelRule, now: number): boolean =>
  bucket.limits === undefined && serves(bucket, rule, now);

function serves(bucket: ModelBucket, rule: ModelRule, now: number): boolean {
  if (isOver(bucket, now) || (bucket.startsAt !== undefined && now < bucket.startsAt)) return false;
  return bucket.paysFor === undefined || bucket.paysFor.includes(rule.name);
}

function take(bucket: ModelBucket, amount: bigint, now: number): void {
  if (amount === 0n) return;
  bucket.available -= amount;
  bucket.charged += amount;
  begin(bucket, now);
}

function begin(bucket: ModelBucket, now: number): void {
  if (bucket.lasts !== undefined) bucket.endsAt ??= now + bucket.lasts;
}

const reaches = (cost: bigint, budget: bigint): boolean => cost <= (budget > 0n ? budget : 0n);

const HOUR = 3_600_000;

/** The first end of a period after `now`. */
export function endOfPeriod(
  { every, from }: { every: 'hour' | 'day' | 'week' | 'month'; from: number },
  now: number,
): number {
  let end = from;
  while (end <= now) {
    const next = new Date(end);
    if (every === 'month') next.setUTCMonth(next.getUTCMonth() + 1);
    end =
      every === 'month'
        ? next.getTime()
        : end + (every === 'hour' ? HOUR : every === 'day' ? 24 * HOUR : 7 * 24 * HOUR);
  }
  return end;
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

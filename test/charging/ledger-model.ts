/**
 * Charging told a second time, slowly: one account, counted unit by unit in BigInt, with no code of
 * the product in it. What it says is what the product must say, to the unit.
 */

export type ModelUnit = 'octets' | 'seconds';

export interface ModelBucket {
  id: string;
  kind: ModelUnit | 'money';
  /** Lower is drawn first; of several with the same, what ends first. */
  priority: number;
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
  unit: ModelUnit;
  /** Absent: free. */
  price?: { amount: bigint; per: bigint; increment: bigint };
  size: bigint;
  minimum: bigint;
  maximum: bigint;
  validity?: number;
  atEnd: 'deny' | 'terminate' | 'redirect';
  /** The session's pool that its grants belong to. */
  pool?: number;
}

/** The rules of a rating group: another one holds in a part of every so many minutes of a UTC day. */
export interface ModelTariff {
  rule: ModelRule;
  window?: { every: number; from: number; until: number; rule: ModelRule };
}

export interface ModelAsk {
  group: number;
  used?: number;
  /** Of these, reported as used after a tariff change, and as straddling it. */
  after?: number;
  straddling?: number;
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
  /** Seconds since the use that it reports and asks for. */
  late: number;
  /** How the client may be told of a tariff change. */
  told?: 'single' | 'dual' | undefined;
  services: readonly ModelAsk[];
}

interface ModelPart {
  bucket: string;
  units: bigint;
  amount: bigint;
  /** The end of the bucket's period that it was taken in. */
  period?: number | undefined;
}

/** What rates a use: its rule, and the units that money has paid for under it. */
interface Rated {
  rule: ModelRule;
  rated: bigint;
}

/** The rule that holds from a time on. */
interface ModelChange {
  at: number;
  rule: ModelRule;
}

interface ModelGrant {
  parts: ModelPart[];
  /** What it holds of limits. */
  limits: ModelPart[];
  /** From a tariff change on; with a dual quota what is held for after it. */
  change?: ModelChange & { second?: ModelPart[] };
  pool?: number | undefined;
  validUntil?: number | undefined;
}

/** What a service was under until its present rule held. */
interface ModelEarlier extends Rated {
  until: number;
  version: number;
}

interface ModelService extends Rated {
  grant?: ModelGrant;
  /** Of the plan that its rule is of. */
  version: number;
  earlier?: ModelEarlier;
  /** The change within its last grant, of which nothing was reported while it was held. */
  lapsed?: ModelChange | undefined;
  /** From when on the plan alone says what its use costs; absent: as its grant says, else never. */
  knownUntil?: number | undefined;
  exhausted?: 'final' | 'restricted' | 'refused' | undefined;
}

/** Seconds in a row that passed under one rule. */
interface Passed extends ModelChange {
  seconds: bigint;
}

/** Units of a report that another one overtook, under a rule that held before the present one. */
interface Overtaken {
  by: Rated;
  at: number;
  units: bigint;
}

/** What one service reported, while it is settled. */
interface Due {
  one: ModelAsk;
  service: ModelService;
  /** What rates the units before a tariff change, or all of them. */
  early: Rated;
  before: bigint;
  after: bigint;
  /** Seconds after all that was known when they were granted, under each rule that they passed in. */
  late: readonly Passed[];
  overtaken: readonly Overtaken[];
  /** The whole report was: the grant is not the one that it is about. */
  isOvertaken: boolean;
  /** What it has left in its pool, if it asks for more. */
  left?: ModelGrant | undefined;
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
const MINUTE = 60_000;
const DAY = 86_400_000;
/** Seconds for which a client that is restricted is left alone, and one that is put off. */
const RESTRICTED = 300;
const RETRY = 10;

export class Ledger {
  readonly buckets: ModelBucket[];
  readonly tariffs: ReadonlyMap<number, ModelTariff>;
  /** What straddles a tariff change counts as. */
  readonly straddles: 'before' | 'after';
  readonly supervision: number;
  readonly grace: number;
  readonly sessions = new Map<string, ModelSession>();
  /** The plan's; in the first one, where there are two, no tariff has a window. */
  version: number;
  #hasWindows: boolean;
  /** Pools of which nothing was left to anybody while the present request is served. */
  #ended = new Set<number | undefined>();

  constructor(of: {
    buckets: ModelBucket[];
    tariffs: ReadonlyMap<number, ModelTariff>;
    straddles: 'before' | 'after';
    supervision: number;
    grace: number;
    hasWindows: boolean;
  }) {
    this.version = 1;
    this.#hasWindows = of.hasWindows;
    this.buckets = of.buckets;
    this.tariffs = of.tariffs;
    this.straddles = of.straddles;
    this.supervision = of.supervision;
    this.grace = of.grace;
  }

  /** The answer in words: the outcome, then for each service what `words` says. */
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
        return ['success', ...request.services.map(({ group }) => words(group))].join(' ');
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
    const dues = this.#settle(own, request, now);
    const closes = request.refused || request.kind === 'termination';
    const told = request.services.map((one) => {
      if (closes) return words(one.group);
      const due = dues.find((other) => other.one === one);
      return this.#answer(own, { one, request, due, dues, now });
    });
    for (const { service, left } of dues)
      if (left !== undefined) this.#leave(own, service, { left, now });
    const answer = request.refused ? 'refused' : ['success', ...told].join(' ');
    if (closes) this.#close(own, { now, isDone: !request.refused });
    else {
      let longest = 0;
      for (const { grant, exhausted, rule } of own.services.values()) {
        if (exhausted === 'restricted') longest = Math.max(longest, RESTRICTED * 1000);
        if (grant?.validUntil === undefined) continue;
        const usual = rule.validity ?? this.supervision / 2;
        longest = Math.max(longest, usual, grant.validUntil - now);
      }
      own.superviseAt = now + (longest > 0 ? 2 * longest : this.supervision);
    }
    this.#keep(own, request, { content, answer, now });
    return answer;
  }

  /** The plan gets its windows. */
  openWindows(): void {
    if (this.#hasWindows) return;
    this.#hasWindows = true;
    this.version++;
  }

  /** Lets time come to `now`: what is due happens. */
  tick(now: number): void {
    for (const session of this.sessions.values()) {
      if (session.state === 'closed') continue;
      if (session.superviseAt <= now) {
        this.#turn(now);
        this.#close(session, { now, isDone: false });
        continue;
      }
      const due = [...session.services.values()].filter(
        ({ grant }) => grant?.validUntil !== undefined && grant.validUntil + this.grace <= now,
      );
      if (due.length > 0) this.#turn(now);
      for (const service of due) this.#lapse(service, now);
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

  /** `isDone`: by its client, which uses nothing any more. */
  #close(session: ModelSession, { now, isDone }: { now: number; isDone: boolean }): void {
    session.state = 'closed';
    for (const service of session.services.values()) {
      this.#lapse(service, now);
      if (!isDone) continue;
      service.knownUntil = undefined;
      if (service.lapsed !== undefined && service.lapsed.at >= now) service.lapsed = undefined;
    }
  }

  /** Nothing of the grant was reported: what comes late is still divided by its change. */
  #lapse(service: ModelService, now: number): void {
    service.lapsed = service.grant?.change ?? service.lapsed;
    service.knownUntil = knownUntil(service);
    this.#giveBack(service, now);
  }

  /** Time takes what is over and brings what a new period brings. */
  #turn(now: number): void {
    for (const bucket of this.buckets) {
      const { renewal, endsAt = Number.POSITIVE_INFINITY, startsAt = now } = bucket;
      if (isOver(bucket, now)) {
        if (bucket.available > 0n) this.#lose(bucket, bucket.available);
      } else if (renewal !== undefined && endsAt <= now && startsAt <= now) {
        for (let end = endsAt; end <= now; end = endOfPeriod(renewal, end)) {
          if (bucket.available > renewal.rollover)
            this.#lose(bucket, bucket.available - renewal.rollover);
          bucket.available += renewal.amount;
          bucket.renewed += renewal.amount;
        }
        bucket.endsAt = endOfPeriod(renewal, now);
      }
    }
  }

  #lose(bucket: ModelBucket, amount: bigint): void {
    bucket.available -= amount;
    bucket.expired += amount;
  }

  #giveBack(service: ModelService, now: number): void {
    if (service.grant !== undefined) this.#free(service.grant, now);
    delete service.grant;
  }

  #free({ parts, limits, change }: ModelGrant, now: number): void {
    for (const { bucket: id, amount, period } of [...parts, ...(change?.second ?? []), ...limits]) {
      const bucket = this.#bucket(id);
      bucket.reserved -= amount;
      bucket.available += amount;
      const isLater = period !== undefined && bucket.endsAt !== undefined && bucket.endsAt > period;
      if (isOver(bucket, now) || isLater) this.#lose(bucket, amount);
    }
  }

  /** What a service has left goes to another grant of its pool, or back where there is none. */
  #leave(
    session: ModelSession,
    service: ModelService,
    { left, now }: { left: ModelGrant; now: number },
  ): void {
    for (const other of session.services.values()) {
      if (other === service || other.grant === undefined || other.grant.pool !== left.pool)
        continue;
      merge(other.grant, left);
      return;
    }
    this.#free(left, now);
    this.#ended.add(left.pool);
  }

  /** The rule that holds for a rating group at a time. */
  #ruleAt(group: number, at: number): ModelRule {
    const { rule, window } = this.tariffs.get(group)!;
    if (window === undefined || !this.#hasWindows) return rule;
    const minute = Math.floor((at % DAY) / MINUTE) % window.every;
    return window.from <= minute && minute < window.until ? window.rule : rule;
  }

  /**
   * How many units were used before the change that is known of, and after it, and what came late:
   * by what the client says, or, of seconds that it did not divide, by the clock. What was used
   * before the present rule held is under the rule of its time, volume under that of the report's.
   */
  #divide(
    { group, used = 0, after, straddling }: ModelAsk,
    service: ModelService,
    of: { reported: number; now: number; opening?: ModelChange | undefined },
  ): Pick<Due, 'before' | 'after' | 'late' | 'overtaken' | 'isOvertaken'> & {
    change?: ModelChange | undefined;
  } {
    const { reported, now, opening } = of;
    const { earlier } = service;
    /** Of an older plan nothing is known but the last tariff. */
    const ruleThen = (at: number): ModelRule =>
      earlier === undefined || earlier.version === this.version
        ? this.#ruleAt(group, at)
        : earlier.rule;
    const today = this.#ruleAt(group, reported);
    const isDivided = after !== undefined || straddling !== undefined;
    const until = earlier?.until ?? Number.NEGATIVE_INFINITY;
    const isOvertaken =
      reported < until && (isDivided ? until <= now : ruleThen(reported) !== service.rule);
    const held = service.grant === undefined ? service.lapsed : service.grant.change;
    const change = isOvertaken ? undefined : held;
    const overtaken: Overtaken[] = [];
    const overtake = (rule: ModelRule, at: number, units: bigint) => {
      if (units === 0n) return;
      const by = rule === earlier?.rule ? earlier : { rule, rated: 0n };
      const same = overtaken.find((other) => other.by.rule === rule);
      if (same === undefined) overtaken.push({ by, at, units });
      else same.units += units;
    };
    if (service.rule.unit === 'seconds' && !isDivided) {
      const known = change?.rule ?? service.rule;
      const late: Passed[] = opening === undefined ? [] : [{ ...opening, seconds: 0n }];
      const units = { before: 0n, after: 0n };
      for (let left = used; left > 0; left--) {
        const at = reported - left * 1000;
        const present = this.#ruleAt(group, at);
        if (at < until && ruleThen(at) !== service.rule) {
          overtake(ruleThen(at), at, 1n);
          continue;
        }
        const isKnown = isOvertaken || at < (knownUntil(service) ?? Number.POSITIVE_INFINITY);
        const rule = isKnown ? known : present;
        const last = late.at(-1);
        if (last?.rule === rule) last.seconds += 1n;
        else if (last !== undefined || rule !== known) late.push({ rule, at, seconds: 1n });
        else units[change !== undefined && at >= change.at ? 'after' : 'before'] += 1n;
      }
      return { ...units, late, change, overtaken, isOvertaken };
    }
    const isAware = after !== undefined && today !== service.rule;
    const divides = change ?? (isAware ? { at: reported, rule: today } : undefined);
    const counted = this.straddles === 'after' ? (straddling ?? 0) : 0;
    const claimed = least(BigInt((after ?? 0) + counted), BigInt(used));
    if (isOvertaken) {
      const own = isDivided ? claimed : BigInt(used);
      const then = ruleThen(reported);
      const last = this.#lastChange(group, reported, reported - 7 * DAY);
      const first = last === undefined ? earlier!.rule : ruleThen(last - 1);
      let before = 0n;
      for (const [rule, units] of [
        [first, BigInt(used) - own],
        [then, own],
      ] as const)
        if (rule === service.rule) before += units;
        else overtake(rule, reported, units);
      return { before, after: 0n, late: [], overtaken, isOvertaken };
    }
    // What the client was told of is still to come: it reports of what it was granted before that.
    const isOfLast =
      until > now || (held === undefined ? today === service.rule : held.at > reported + MINUTE);
    if (isDivided && earlier !== undefined && isOfLast) {
      overtake(earlier.rule, reported, BigInt(used) - claimed);
      return {
        ...{ before: claimed, after: 0n },
        late: [],
        overtaken,
        isOvertaken: until > now || held !== undefined,
      };
    }
    if (opening !== undefined) {
      const late = [{ ...opening, seconds: BigInt(used) }];
      return { ...{ before: 0n, after: 0n }, late, overtaken, isOvertaken };
    }
    const later = divides === undefined ? 0n : claimed;
    const units = { before: BigInt(used) - later, after: later };
    return { ...units, late: [], change: divides, overtaken, isOvertaken };
  }

  /** The first full minute after `from` and before `until` at which another rule holds. */
  #changeOf(group: number, from: number, until: number): number | undefined {
    const rule = this.#ruleAt(group, from);
    for (let at = from - (from % MINUTE) + MINUTE; at < until; at += MINUTE)
      if (this.#ruleAt(group, at) !== rule) return at;
    return undefined;
  }

  /** The last full minute after `since`, up to `at`, at which the rule came to be another. */
  #lastChange(group: number, at: number, since: number): number | undefined {
    for (let minute = at - (at % MINUTE); minute > since; minute -= MINUTE)
      if (this.#ruleAt(group, minute - 1) !== this.#ruleAt(group, minute)) return minute;
    return undefined;
  }

  /** The limits that hold for what a subscriber uses under a rule. */
  #limits(subscriber: string, rule: ModelRule, now: number): ModelBucket[] {
    return this.buckets.filter(
      (bucket) => bucket.limits?.includes(subscriber) && serves(bucket, rule, now),
    );
  }

  /**
   * Within the grants of all services, then from what their pools hold, then what is left of these
   * grants is free, then beyond them.
   */
  #settle(session: ModelSession, request: ModelRequest, now: number): Due[] {
    const dues: Due[] = [];
    const at = timeOf(request, now);
    this.#ended = new Set();
    for (const one of request.services) {
      const inUse = this.#inUse(session, one, at);
      if (inUse === undefined) continue;
      const { service, opening } = inUse;
      const { grant } = service;
      const { change, ...used } = this.#divide(one, service, { reported: at, now, opening });
      const before = this.#consume(service, grant, { parts: grant?.parts, units: used.before });
      const due: Due = { ...used, one, service, early: service, before, after: 0n };
      const isSeconds = service.rule.unit === 'seconds' && one.used !== undefined;
      const isClocked = isSeconds && one.after === undefined && one.straddling === undefined;
      if (change !== undefined && (used.after > 0n || (isClocked && change.at <= at))) {
        const { rule, rated, version } = service;
        service.earlier = { until: change.at, rule, rated, version };
        // What only the client tells of is of the plan as it is.
        const isHeld = change === (grant === undefined ? service.lapsed : grant.change);
        if (!isHeld) service.version = this.version;
        due.early = service.earlier;
        service.rule = change.rule;
        service.rated = 0n;
        const parts = grant?.change?.second ?? grant?.parts;
        due.after = this.#consume(service, grant, { parts, units: used.after });
      }
      // What is reported is divided once.
      const isReport = one.used !== undefined && !used.isOvertaken;
      service.lapsed = isReport ? undefined : (grant?.change ?? service.lapsed);
      if (!isReport) service.knownUntil = knownUntil(service);
      dues.push(due);
    }
    for (const due of dues) {
      due.before = this.#borrow(session, due, { rated: due.early, units: due.before, now });
      due.after = this.#borrow(session, due, { rated: due.service, units: due.after, now });
    }
    const closes = session.state === 'closed' || request.refused || request.kind === 'termination';
    const asks = ({ one }: Due) => one.ask !== undefined && !closes;
    for (const due of dues) {
      const { grant } = due.service;
      if (grant?.pool === undefined) this.#giveBack(due.service, now);
      else if (!asks(due)) {
        delete due.service.grant;
        this.#leave(session, due.service, { left: grant, now });
      }
    }
    for (const due of dues.filter(asks)) {
      due.left = due.service.grant;
      delete due.service.grant;
    }
    for (const { early, service, before, after } of dues)
      for (const [rated, units] of [
        [early, before],
        [service, after],
      ] as const) {
        if (rated.rule.price === undefined) continue;
        const limits = this.#limits(session.subscriber, rated.rule, now);
        this.#payBeyond(rated, { units, mayChoose: !request.lastOnly, limits, now });
      }
    const overtaken = dues.flatMap(({ overtaken }) => overtaken);
    for (const { by, units } of overtaken.toSorted((a, b) => a.at - b.at)) {
      if (by.rule.price === undefined) continue;
      const limits = this.#limits(session.subscriber, by.rule, now);
      this.#payBeyond(by, { units, mayChoose: !request.lastOnly, limits, now });
    }
    const late = dues.flatMap(({ service, late }) => late.map((one) => ({ service, ...one })));
    for (const { service, rule, at: since, seconds } of late.toSorted((a, b) => a.at - b.at)) {
      this.#putUnder(service, rule, since);
      if (rule.price === undefined) continue;
      const limits = this.#limits(session.subscriber, rule, now);
      this.#payBeyond(service, { units: seconds, mayChoose: !request.lastOnly, limits, now });
    }
    for (const { one, service, isOvertaken } of dues)
      if (
        one.used !== undefined &&
        !isOvertaken &&
        ((!closes && this.#hasWindows) || service.knownUntil !== undefined)
      )
        service.knownUntil = Math.max(at, service.earlier?.until ?? at);
    return dues;
  }

  /** The service under the rule that holds from a time on, with nothing counted if it is another. */
  #putUnder(service: ModelService, rule: ModelRule, at: number): void {
    const { rule: before, rated, version } = service;
    service.version = this.version;
    if (before === rule) return;
    service.earlier = { until: at, rule: before, rated, version };
    Object.assign(service, { rule, rated: 0n });
  }

  /**
   * The service that a report is for, and what all of it begins with if that is another rule. What
   * nothing was granted for is under the rule of its time: seconds as they began to pass; volume, which
   * nobody can divide, as what straddles a change.
   */
  #inUse(
    session: ModelSession,
    one: ModelAsk,
    reported: number,
  ): { service: ModelService; opening?: ModelChange } | undefined {
    const { group, used = 0, after, straddling } = one;
    const isDivided = after !== undefined || straddling !== undefined;
    const { unit } = this.#ruleAt(group, reported);
    const isPassing = unit === 'seconds' && !isDivided;
    const start = isPassing ? reported - used * 1000 : reported;
    const service = session.services.get(group);
    if (service === undefined) {
      if (one.used === undefined) return undefined;
      const rule = this.#ruleAt(group, start);
      const begun: ModelService = { rule, rated: 0n, version: this.version };
      session.services.set(group, begun);
      if (!isPassing || !this.#hasWindows) return { service: begun };
      begun.knownUntil = start;
      return { service: begun, opening: { rule, at: start } };
    }
    const { knownUntil, grant, lapsed } = service;
    if (grant !== undefined || isDivided || one.used === undefined) return { service };
    if (knownUntil === undefined || knownUntil >= reported) return { service };
    const straddles = this.straddles === 'after' ? reported : knownUntil;
    const at = unit === 'seconds' ? start : straddles;
    const rule = this.#ruleAt(group, at);
    if (at < knownUntil || rule === (lapsed?.rule ?? service.rule)) return { service };
    return { service, opening: { rule, at } };
  }

  /** Units that the parts of a grant pay for; the rest is returned. */
  #consume(
    rated: Rated,
    grant: ModelGrant | undefined,
    { parts = [], units }: { parts: ModelPart[] | undefined; units: bigint },
  ): bigint {
    if (rated.rule.price === undefined) return 0n;
    let rest = units;
    for (const part of parts) {
      const bucket = this.#bucket(part.bucket);
      while (rest > 0n && part.units > 0n) {
        const cost = bucket.kind === 'money' ? priceOfNext(rated) : 1n;
        if (cost > part.amount) break;
        if (bucket.kind === 'money') rated.rated += 1n;
        part.units -= 1n;
        this.#charge(part, cost);
        this.#count(grant, bucket, cost);
        rest -= 1n;
      }
    }
    return rest;
  }

  /** Takes from what is reserved. */
  #charge(part: ModelPart, amount: bigint): void {
    const bucket = this.#bucket(part.bucket);
    part.amount -= amount;
    bucket.reserved -= amount;
    bucket.charged += amount;
  }

  /** Counts a unit in all that a grant holds of limits; what it does not hold is counted beyond. */
  #count(grant: ModelGrant | undefined, paidBy: ModelBucket, cost: bigint): void {
    for (const limit of grant?.limits ?? []) {
      const cap = this.#bucket(limit.bucket);
      const counted = cap.kind !== 'money' ? 1n : paidBy.kind === 'money' ? cost : 0n;
      const held = counted < limit.amount ? counted : limit.amount;
      this.#charge(limit, held);
      cap.available -= counted - held;
      cap.charged += counted - held;
    }
  }

  /** Units beyond a pooled grant that the money of the pool's grants pays for, bucket by bucket. */
  #borrow(
    session: ModelSession,
    { service }: Due,
    { rated, units, now }: { rated: Rated; units: bigint; now: number },
  ): bigint {
    const pool = service.grant?.pool;
    if (pool === undefined || rated.rule.price === undefined) return units;
    let rest = units;
    const limits = this.#limits(session.subscriber, rated.rule, now);
    const grants = [...session.services.values()].flatMap(({ grant }) =>
      grant?.pool === pool ? [grant] : [],
    );
    const parts = grants.flatMap((grant) => [...grant.parts, ...(grant.change?.second ?? [])]);
    for (const { id, kind } of this.#inTurn(now)) {
      const own = parts.filter(({ bucket, amount }) => bucket === id && amount > 0n);
      if (kind !== 'money' || own.length === 0) continue;
      while (rest > 0n) {
        const cost = priceOfNext(rated);
        if (cost > sumOf(own)) break;
        rated.rated += 1n;
        this.#chargeAll(own, cost);
        for (const cap of limits) {
          const held = grants
            .flatMap((grant) => grant.limits)
            .filter((one) => one.bucket === cap.id);
          const counted = cap.kind === 'money' ? cost : 1n;
          const within = least(counted, sumOf(held));
          this.#chargeAll(held, within);
          take(cap, counted - within, now);
        }
        rest -= 1n;
      }
    }
    return rest;
  }

  /** Takes from what parts hold, in their order. */
  #chargeAll(parts: readonly ModelPart[], amount: bigint): void {
    let rest = amount;
    for (const part of parts) {
      const some = least(rest, part.amount);
      this.#charge(part, some);
      rest -= some;
    }
  }

  /** Bucket by bucket as far as each reaches; the last takes what is left, whatever it holds. */
  #payBeyond(
    service: Rated,
    of: { units: bigint; mayChoose: boolean; limits: readonly ModelBucket[]; now: number },
  ): void {
    const { mayChoose, limits, now } = of;
    let rest = of.units;
    const last = this.#last();
    for (const bucket of this.#inTurn(now)) {
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

  /** What a service is told. */
  #answer(
    session: ModelSession,
    of: {
      one: ModelAsk;
      request: ModelRequest;
      due: Due | undefined;
      dues: readonly Due[];
      now: number;
    },
  ): string {
    const { one, request, now } = of;
    const { group, used } = one;
    const { rule } = this.#granting(of);
    const had = session.services.get(group);
    const again = had?.exhausted === 'restricted' && used === undefined ? 0 : undefined;
    const ask = one.ask ?? again;
    if (ask === undefined) {
      const today = this.#ruleAt(group, timeOf(request, now));
      const begins = had?.exhausted === 'final' || had?.exhausted === 'restricted';
      if (had === undefined || !begins || today.atEnd !== 'redirect') return words(group);
      had.exhausted = 'restricted';
      return words(group, { validity: RESTRICTED });
    }
    const service = had ?? { rule, rated: 0n, version: this.version };
    session.services.set(group, service);
    if (!request.reserving) return words(group, { validity: RETRY });
    const wish = ask === 0 ? rule.size : BigInt(ask);
    const wanted = wish > rule.maximum ? rule.maximum : wish;
    return (
      this.#grant(session, { ...of, service, wanted }) ??
      this.#nothing(request, { group, service, rule })
    );
  }

  #nothing(
    { kind }: ModelRequest,
    { group, service, rule }: { group: number; service: ModelService; rule: ModelRule },
  ): string {
    if (rule.atEnd !== 'redirect' || service.exhausted === 'restricted') {
      service.exhausted = 'refused';
      return words(group, { outcome: 'credit-limit-reached' });
    }
    service.exhausted = 'restricted';
    const final = { final: true, validity: RESTRICTED };
    return words(group, kind === 'initial' ? final : { ...final, units: 0n });
  }

  /**
   * Volume is granted from now on; seconds pass since the client says so, unless it said more since.
   * `since`: when the rule is known to hold.
   */
  #granting(of: { one: ModelAsk; request: ModelRequest; due: Due | undefined; now: number }) {
    const { request, due, now } = of;
    const { group } = of.one;
    const at = due?.isOvertaken === true ? now : timeOf(request, now);
    const from = this.#ruleAt(group, at).unit === 'seconds' ? at : now;
    const rule = this.#ruleAt(group, from);
    const last = this.#lastChange(group, now, at);
    const isLater = last !== undefined && this.#ruleAt(group, now) === rule;
    return { from, rule, since: isLater ? last : at };
  }

  /** Undefined: nothing useful is left. */
  #grant(
    session: ModelSession,
    of: {
      one: ModelAsk;
      request: ModelRequest;
      due: Due | undefined;
      dues: readonly Due[];
      service: ModelService;
      wanted: bigint;
      now: number;
    },
  ): string | undefined {
    const { one, request, due, dues, service, wanted, now } = of;
    const { group } = one;
    const { subscriber } = session;
    const { rule, from, since } = this.#granting(of);
    const own: Rated = { rule, rated: service.rule === rule ? service.rated : 0n };
    const end = now + (rule.validity ?? DAY);
    const at = this.#changeOf(group, from, end);
    const next = at === undefined ? undefined : this.#ruleAt(group, at);
    let told: ModelRequest['told'] | 'not';
    if (next !== undefined) {
      const isFree = rule.price === undefined || next.price === undefined;
      const alike = this.buckets.every((one) => pays(one, rule, now) === pays(one, next, now));
      const [ours, theirs] = [rule, next].map((one) =>
        this.#limits(subscriber, one, now)
          .map(({ id }) => id)
          .join(),
      );
      // Seconds are divided by the clock, whatever the client knows.
      told = rule.unit === 'seconds' ? 'single' : (request.told ?? 'not');
      if (told === 'single' && !isFree && !alike) told = 'not';
      if (!isFree && ours !== theirs) told = 'not';
    }
    const single = told === 'single' ? next : undefined;
    const pool = this.#mayShare(subscriber, { rule, next: told === 'not' ? undefined : next, now })
      ? rule.pool
      : undefined;
    const reserve = (rated: Rated, isShared: boolean) =>
      this.#reserve(subscriber, {
        own: rated,
        ...(rated === own ? { next: single } : {}),
        ...(isShared && pool !== undefined ? { pool } : {}),
        ...{ wanted, now },
      });
    const left = due?.left;
    const stays = left !== undefined && left.pool === rule.pool;
    let isShared = pool !== undefined && !(stays && this.#isFull(left, own));
    let got = isShared ? reserve(own, true) : undefined;
    if (got === undefined) {
      isShared = false;
      const others = [...session.services.values()].filter((other) => other !== service);
      const isCounted =
        others.some(({ grant }) => grant !== undefined && grant.pool === left?.pool) ||
        dues.some((other) => other !== due && other.left?.pool === left?.pool);
      if (left !== undefined && !isCounted) {
        this.#free(left, now);
        this.#ended.add(left.pool);
        due!.left = undefined;
      }
      got = reserve(own, false);
    } else if (stays) {
      merge(got.grant, left);
      due!.left = undefined;
    }
    if (got === undefined) return undefined;
    const { grant, units, isLast } = got;
    if (isShared) grant.pool = pool;
    const cut = (until: number) => {
      const seconds = Math.max(1, Math.ceil((until - now) / 1000));
      return now + Math.min(rule.validity ?? DAY, seconds * 1000);
    };
    grant.validUntil = rule.validity === undefined ? undefined : now + rule.validity;
    let change = '';
    let known = end;
    if (at !== undefined && next !== undefined) {
      const after = this.#changeOf(group, at, end);
      known = told === 'not' ? at : (after ?? end);
      if (told === 'not') grant.validUntil = cut(at);
      else if (after !== undefined) grant.validUntil = cut(after);
      if (told === 'single') {
        grant.change = { at, rule: next };
        change = rule.unit === 'seconds' ? '' : `${at}`;
      }
      if (told === 'dual') {
        const second = reserve({ rule: next, rated: 0n }, isShared);
        if (second === undefined) grant.validUntil = cut(at);
        else {
          grant.change = { at, rule: next, second: second.grant.parts };
          for (const limit of second.grant.limits) addTo(grant.limits, limit);
          change = `${at}/${second.units}`;
        }
      }
    }
    const final = isLast && rule.atEnd !== 'deny';
    this.#putUnder(service, rule, since);
    Object.assign(service, { grant, exhausted: final ? 'final' : undefined });
    service.lapsed = undefined;
    service.knownUntil = rule.unit === 'seconds' && this.#hasWindows ? known : undefined;
    const validity = grant.validUntil === undefined ? undefined : (grant.validUntil - now) / 1000;
    return words(group, { units, final, validity, change });
  }

  /** The priced rules that name a pool. */
  #members(pool: number): ModelRule[] {
    return [...this.tariffs.values()]
      .flatMap(({ rule, window }) =>
        window === undefined || !this.#hasWindows ? [rule] : [rule, window.rule],
      )
      .filter((rule) => rule.pool === pool && rule.price !== undefined);
  }

  /** Whether a quota can be in its pool: it is priced, and limits count money, for all alike. */
  #mayShare(
    subscriber: string,
    { rule, next, now }: { rule: ModelRule; next: ModelRule | undefined; now: number },
  ): boolean {
    if (rule.pool === undefined || rule.price === undefined) return false;
    if (this.#ended.has(rule.pool)) return false;
    if (next !== undefined && next.price === undefined) return false;
    const members = this.#members(rule.pool);
    const counting = members.map((member) => this.#limits(subscriber, member, now));
    return counting.every(
      (limits) =>
        limits.every(({ kind }) => kind === 'money') &&
        limits.map(({ id }) => id).join() === counting[0]!.map(({ id }) => id).join(),
    );
  }

  /** Whether what is left in a pool is as much as the rule ever grants at once. */
  #isFull({ parts }: ModelGrant, own: Rated): boolean {
    return sumOf(parts) >= costOf(own, own.rule.maximum);
  }

  /**
   * Up to `wanted` units from the buckets that pay. Before a change to `next`, and for a pool, all
   * that they may come to cost is taken.
   */
  #reserve(
    subscriber: string,
    of: {
      own: Rated;
      next?: ModelRule | undefined;
      pool?: number;
      wanted: bigint;
      now: number;
    },
  ): { grant: ModelGrant; units: bigint; isLast: boolean } | undefined {
    const { own, next, pool, wanted, now } = of;
    if (own.rule.price === undefined && next?.price === undefined)
      return { grant: { parts: [], limits: [] }, units: wanted, isLast: false };
    const payer = own.rule.price === undefined && next !== undefined ? next : own.rule;
    const useful = least(wanted, own.rule.minimum);
    const limits = this.#limits(subscriber, payer, now);
    /** What is still free of the tightest limits. */
    const free = { units: most, money: most };
    for (const { kind, available, floor } of limits) {
      const counts = kind === 'money' ? kind : 'units';
      if (available - floor < free[counts]) free[counts] = available - floor;
    }
    const parts: ModelPart[] = [];
    const goal = least(wanted, free.units > 0n ? free.units : 0n);
    let rest = goal;
    let cost = 0n;
    /** Units that money pays for, in the buckets before this one. */
    let paid = 0n;
    /** Useful units that would still be there after the grant. */
    let left = 0n;
    /** What those of them that money would pay for take of the limits. */
    let aside = 0n;
    for (const bucket of this.#inTurn(now)) {
      if (!pays(bucket, payer, now)) continue;
      const isMoney = bucket.kind === 'money';
      /** What so many units cost here. */
      const amountOf = (units: bigint): bigint => {
        if (!isMoney) return units;
        if (pool !== undefined || next?.price !== undefined)
          return mostOf([own.rule, ...(next === undefined ? [] : [next])], units);
        return costOf({ ...own, rated: own.rated + paid }, units);
      };
      let budget = bucket.available - bucket.floor;
      const unspent = free.money - cost - aside;
      if (isMoney && unspent < budget) budget = unspent;
      let units = 0n;
      const isThere = (count: bigint) => reaches(amountOf(count), budget);
      while (rest > 0n && isThere(units + 1n)) {
        units += 1n;
        rest -= 1n;
      }
      let more = 0n;
      while (more < useful && isThere(units + more + 1n)) more += 1n;
      left += more;
      const amount = amountOf(units);
      if (units > 0n) parts.push({ bucket: bucket.id, units, amount });
      if (isMoney) {
        cost += amount;
        paid += units;
        aside += amountOf(more);
      }
    }
    const units = goal - rest;
    if (units < useful || units === 0n) return undefined;
    if (pool !== undefined) {
      const drawn = parts.map(({ bucket }) => this.#bucket(bucket));
      const members = this.#members(pool);
      const isForAll = (bucket: ModelBucket) =>
        bucket.kind === 'money' && members.every((member) => pays(bucket, member, now));
      if (!drawn.every(isForAll)) return undefined;
    }
    if (left > free.units - units) left = free.units - units;
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
    return { grant: { parts, limits: held }, units, isLast: left < useful };
  }

  /** The last to pay: what is drawn when nothing else pays. */
  #last(): ModelBucket {
    return this.buckets.filter((bucket) => bucket.limits === undefined).at(-1)!;
  }

  /** All buckets, one after the other: each time the one that comes before all the others left. */
  #inTurn(now: number): ModelBucket[] {
    const last = this.#last();
    /** When a bucket ends, if it is begun by now. */
    const end = ({ expiresAt, lasts, endsAt }: ModelBucket): number => {
      const ends = [Number.MAX_VALUE];
      if (expiresAt !== undefined) ends.push(expiresAt);
      if (endsAt !== undefined) ends.push(endsAt);
      else if (lasts !== undefined) ends.push(now + lasts);
      return Math.min(...ends);
    };
    const isBefore = (a: ModelBucket, b: ModelBucket): boolean => {
      if (a.priority !== b.priority) return a.priority < b.priority;
      if (a === last || b === last) return b === last;
      if (end(a) !== end(b)) return end(a) < end(b);
      return a.id < b.id;
    };
    const left = [...this.buckets];
    const turns: ModelBucket[] = [];
    for (let next = left[0]; next !== undefined; next = left[0]) {
      for (const other of left) if (isBefore(other, next)) next = other;
      turns.push(next);
      left.splice(left.indexOf(next), 1);
    }
    return turns;
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
  if (bucket.kind !== 'money' && bucket.kind !== rule.unit) return false;
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

/** When what a request reports was used. */
const timeOf = ({ late }: ModelRequest, now: number): number => now - late * 1000;

/** The validity of a grant is its end, also where the plan had no windows when it was given. */
const knownUntil = ({ knownUntil: said, rule, grant }: ModelService): number | undefined =>
  said ?? (rule.unit === 'seconds' ? grant?.validUntil : undefined);

const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);

/** What one unit more costs: every increment is paid when it begins. */
const priceOfNext = (rated: Rated): bigint => costOf(rated, 1n);

/** What so many units more cost. */
function costOf({ rule: { price }, rated }: Rated, units: bigint): bigint {
  if (price === undefined) return 0n;
  const whole = (all: bigint): bigint => {
    let increments = all / price.increment;
    if (increments * price.increment < all) increments += 1n;
    const product = increments * price.increment * price.amount;
    return product % price.per === 0n ? product / price.per : product / price.per + 1n;
  };
  return whole(rated + units) - whole(rated);
}

/**
 * What so many units may cost by these rules, whatever was used before and however they are divided:
 * each at the dearest rate, and for each rule an increment but for one unit, and its rounding.
 */
function mostOf(rules: readonly ModelRule[], units: bigint): bigint {
  if (units === 0n) return 0n;
  const up = (amount: bigint, by: bigint) => (amount % by === 0n ? amount / by : amount / by + 1n);
  let all = 0n;
  let beside = 0n;
  for (const { price } of rules) {
    if (price === undefined) continue;
    const { amount, per, increment } = price;
    if (up(units * amount, per) > all) all = up(units * amount, per);
    const isWhole = (increment * amount) % per === 0n;
    beside += up((increment - 1n) * amount + (isWhole ? 0n : per - 1n), per);
  }
  return all + beside;
}

const sumOf = (parts: readonly ModelPart[]): bigint =>
  parts.reduce((sum, { amount }) => sum + amount, 0n);

/** All that `left` holds, for the grant to lend. */
function merge(grant: ModelGrant, left: ModelGrant): void {
  for (const part of [...left.parts, ...(left.change?.second ?? [])])
    if (part.amount > 0n) addTo(grant.parts, { ...part, units: 0n });
  for (const limit of left.limits) if (limit.amount > 0n) addTo(grant.limits, limit);
}

function addTo(parts: ModelPart[], part: ModelPart): void {
  const same = parts.find(({ bucket, period }) => bucket === part.bucket && period === part.period);
  if (same === undefined) parts.push(part);
  else {
    same.units += part.units;
    same.amount += part.amount;
  }
}

/** What a service is told: `group:outcome:granted:final:validity:change`. */
export function words(
  group: number | undefined,
  told: {
    outcome?: string;
    units?: bigint | number | undefined;
    final?: boolean;
    validity?: number | undefined;
    change?: string;
  } = {},
): string {
  const { outcome = 'success', units = '', final = false, validity = '', change = '' } = told;
  return [group, outcome, units, final ? 'final' : '', validity, change].join(':');
}

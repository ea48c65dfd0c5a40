/**
 * Refunds of one debit, which the Refund-Information of its answer proves (TS 32.299 7.2.171): into
 * the buckets that paid, what they paid last first. A refund that names no units gets all of the
 * debit back. One that does gets as much of each service that it names, by Rating-Group and
 * Service-Identifier where there are several, and no more than was taken; what it leaves is left for
 * good, for a debit is handed back once. A part of what money paid comes back in proportion, rounded
 * down to the smallest unit.
 */
import { type Bucket, hasPeriod, reservedField } from './account.ts';
import { type Answer, type Refusal, refused, type ServiceAnswer } from './answer.ts';
import { isOver, turnPeriods } from './buckets.ts';
import { Draft } from './draft.ts';
import type { EventDecision, EventEffect, EventKnown, EventRequest, Taken } from './event.ts';
import { add, LIMIT } from './money.ts';
import { tellBalance } from './notices.ts';
import type { RecordedService } from './record.ts';
import { type AskedService, serviceKey } from './request.ts';
import { eventRecord, named, plainly } from './served-event.ts';

type Granted = NonNullable<ServiceAnswer['granted']>;

/** What is asked back of a service, and named in the answer as `one`. */
interface Claim {
  one: Pick<AskedService, 'ratingGroup' | 'serviceIds'>;
  /** Which of the debit's services it is. */
  index: number;
  /** In the debit's unit, or money: at most what was taken is given. */
  wanted: Granted;
  /** What the debit granted. */
  granted: Granted;
}

type Refused = { one: AskedService } & Refusal;

/** Decides a refund of the debit that `known.former` is. */
export function handBack(request: EventRequest, known: EventKnown): EventDecision {
  const { account, plan, former, fresh, now } = known;
  if (former === undefined || !proves(request.refundInformation, former))
    return fresh
      ? { kind: 'answer', answer: plainly('service-denied', request) }
      : { kind: 'reread' };
  const claims = claimsOf(request, former.answer.services);
  const [first] = claims;
  const refuses = claims.some((claim) => 'outcome' in claim);
  if (refuses && !fresh) return { kind: 'reread' };
  if (request.level === 'command' && first !== undefined && 'outcome' in first)
    return { kind: 'answer', answer: plainly(first.outcome, request, first.fault) };
  const draft = new Draft(account);
  turnPeriods(draft, now);
  let cost = 0;
  const recorded: RecordedService[] = [];
  const services = claims.map((claim): ServiceAnswer => {
    const name = named(claim.one);
    if ('outcome' in claim) {
      recorded.push({ ...name, outcome: claim.outcome });
      return { ...name, ...refused(claim) };
    }
    const taken = former.taken.filter(({ service }) => service === claim.index);
    const given = give(draft, { claim, taken, now });
    cost = add(cost, given.money);
    const { unit, units } = given.granted;
    const entry = { ...name, outcome: 'success' as const };
    recorded.push({ ...entry, unit, granted: units, cost: 0 - given.money });
    return { ...entry, granted: given.granted };
  });
  const answer: Answer = { outcome: 'success', level: request.level, services };
  if (services.some(({ outcome }) => outcome === 'success')) answer.cost = cost;
  tellBalance(answer, { plan, draft, now });
  if (answer.lowBalance && !fresh) return { kind: 'reread' };
  if (!services.some(({ granted }) => granted !== undefined && granted.units > 0))
    return { kind: 'answer', answer };
  const record = eventRecord(request, { known, answer, served: [], changes: draft.changes() });
  return {
    kind: 'change',
    answer,
    movements: draft.movements(),
    // It names the debit: Session-Id, CC-Request-Number and CC-Sub-Session-Id.
    record: { ...record, services: recorded, reference: former.by.trimEnd().replaceAll('\n', ' ') },
    taken: [],
  };
}

/** What is asked back: of every service that is named, or all of the debit where nothing is said. */
function claimsOf(
  { services }: EventRequest,
  debited: readonly ServiceAnswer[],
): readonly (Claim | Refused)[] {
  const left: (ServiceAnswer & { granted: Granted; index: number })[] = [];
  for (const [index, one] of debited.entries())
    if (one.granted !== undefined) left.push({ ...one, granted: one.granted, index });
  const [one] = services;
  const isPlain = !one?.foreignMoney && one?.messages === undefined;
  const isAll = services.length <= 1 && isPlain && namesNothing(one);
  if (isAll)
    return left.map((all) => ({
      ...{ one: all, index: all.index, granted: all.granted, wanted: all.granted },
    }));
  const single = services.length === 1 && left.length === 1;
  return services.map((asking) => {
    const key = serviceKey(asking);
    const at = single ? 0 : left.findIndex((candidate) => serviceKey(candidate) === key);
    const [found] = at < 0 ? [] : left.splice(at, 1);
    if (found === undefined) return { one: asking, outcome: 'service-denied' };
    const { index, granted } = found;
    const wanted = wantedOf(asking, granted);
    return wanted === undefined
      ? { one: asking, outcome: 'rating-failed', fault: 'asked' }
      : { one: asking, index, granted, wanted };
  });
}

function namesNothing(one: AskedService | undefined): boolean {
  return Object.keys(one?.asked ?? {}).length === 0;
}

/** Undefined: it is asked for in what the debit was not. */
function wantedOf(one: AskedService, granted: Granted): Granted | undefined {
  if (one.foreignMoney) return undefined;
  const messages = granted.unit === 'units' ? one.messages : undefined;
  if (namesNothing(one) && messages === undefined) return granted;
  const units = one.asked?.[granted.unit] ?? messages;
  if (units !== undefined) return { unit: granted.unit, units: Math.min(units, granted.units) };
  const money = one.asked?.money;
  return money === undefined ? undefined : { unit: 'money', units: money };
}

/** Gives back what is claimed, and returns it: in the unit that was asked, and in money. */
function give(
  draft: Draft,
  { claim, taken, now }: { claim: Claim; taken: readonly Taken[]; now: number },
): { granted: Granted; money: number } {
  const { buckets } = draft.account.definition;
  const bucketOf = (part: Taken) => buckets.find(({ id }) => id === part.bucket);
  const { wanted, granted } = claim;
  const inMoney = wanted.unit === 'money' && granted.unit !== 'money';
  let rest = wanted.units;
  let money = 0;
  for (const part of taken.toReversed()) {
    const bucket = bucketOf(part);
    if (bucket?.limits !== undefined || (inMoney && bucket?.unit !== 'money')) continue;
    const size = inMoney ? part.amount : part.units;
    const share = Math.min(rest, size);
    if (share === 0) continue;
    rest -= share;
    const amount = share === size ? part.amount : proportion(part.amount, { share, size });
    if (bucket?.unit === 'money') money = add(money, amount);
    giveBack(draft, { ...part, amount }, now);
  }
  // What limited the use counts it no more; money alone gives no units back.
  const units = inMoney ? 0 : wanted.units;
  const counted = new Map<string, number>();
  for (const part of taken) {
    const bucket = bucketOf(part);
    if (bucket?.limits === undefined) continue;
    const left = counted.get(bucket.id) ?? (bucket.unit === 'money' ? money : units);
    const amount = Math.min(part.amount, left);
    counted.set(bucket.id, left - amount);
    giveBack(draft, { ...part, amount }, now);
  }
  return { granted: inMoney ? { unit: 'money', units: money } : wanted, money };
}

/** Of `amount`, rounded down. */
function proportion(amount: number, { share, size }: { share: number; size: number }): number {
  return Number((BigInt(amount) * BigInt(share)) / BigInt(size));
}

/** Into a bucket that is over, or has turned to a later period, nothing comes back. */
function giveBack(draft: Draft, { bucket: id, amount, period }: Taken, now: number): void {
  const bucket = draft.account.definition.buckets.find((candidate) => candidate.id === id);
  if (bucket === undefined) return;
  const present = hasPeriod(bucket) ? draft.period(id) : undefined;
  if (isOver(bucket, present, now)) return;
  if (period !== undefined && present !== undefined && period < present) return;
  const back = Math.min(amount, roomIn(draft, bucket));
  if (back > 0) draft.book(id, 'refund', { amount: back, floor: -LIMIT });
}

/** Whether the octets are those that the debit's answer had. */
function proves(given: Uint8Array | undefined, { answer }: EventEffect): boolean {
  const issued = answer.refundInformation;
  if (given === undefined || issued === undefined || given.length !== issued.length) return false;
  return given.every((octet, i) => octet === issued[i]);
}

/** What still fits into a bucket, with all of its reservations released into it. */
export function roomIn(draft: Draft, { id }: Bucket): number {
  const reserved = draft.account.counters[reservedField(id)] ?? 0;
  return Math.max(0, LIMIT - Math.max(0, reserved) - Math.max(0, draft.available(id)));
}

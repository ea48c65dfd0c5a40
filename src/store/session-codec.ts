/**
 * Sessions to and from the bytes of `proto/session.proto`.
 *
 * What a newer version wrote and this one does not know survives a read and a write: unknown fields
 * of a session, its services and their grants travel in `unknown`, and a stored answer is kept as
 * the bytes it was read from. An answer is encoded once and decoded when it is first asked for.
 */
import type { Answer } from '../charging/answer.ts';
import type { Pending, Reason, Scope, ServiceKey } from '../charging/pending.ts';
import type { Price, Rate, Role } from '../charging/plan.ts';
import type { Facts, SubscriberKind, Unit } from '../charging/request.ts';
import type {
  Answered,
  Earlier,
  Grant,
  Part,
  Service,
  Session,
  SessionState,
  Switch,
} from '../charging/session.ts';
import { createAnswerCodec } from './answer-codec.ts';
import { AnswerRuns, keepBytes } from './answer-runs.ts';
import {
  isPresent,
  messageCodec,
  type Optional,
  storeSchema,
  tagOf,
  type Unknowns,
  words,
} from './schema.ts';

export interface SessionCodec {
  encode(session: Session): Uint8Array;
  /** Keeps views of `bytes`, which must not be changed afterwards. */
  decode(bytes: Uint8Array): Session;
}

/** The codec of a schema; `sessionCodec` is that of this version. */
export function createSessionCodec(schema: typeof storeSchema): SessionCodec {
  const sessions = messageCodec<SessionMessage>(schema, 'Session');
  const answereds = messageCodec<AnsweredMessage>(schema, 'Answered');
  const answers = createAnswerCodec(schema);
  const units = words<Unit>(schema, 'Unit');
  const kinds = words<SubscriberKind>(schema, 'SubscriberKind');
  const states = words<SessionState>(schema, 'SessionState');
  const roles = words<'none' | Role>(schema, 'Role');
  const pendingKinds = words<Pending['kind']>(schema, 'PendingKind');
  const reasons = words<Reason>(schema, 'Reason');
  const exhaustions = words<'none' | NonNullable<Service['exhausted']>>(schema, 'Exhausted');
  const runs = new AnswerRuns(tagOf(schema, 'Session', 'answers'), (answered) => {
    const { number, digest, at, answer } = answered;
    return answereds.encode({ number, digest, at, answer: answers.encode(answer) });
  });

  function encode(session: Session): Uint8Array {
    const { account, subscriber, client, services, answers: given, seen } = session;
    const message: SessionMessage = {
      sessionId: session.sessionId,
      subSessionId: session.subSessionId,
      tenant: account.tenant,
      account: account.account,
      subscriberKind: kinds.toNumber[subscriber.kind],
      subscriberId: subscriber.id,
      clientHost: hostOfSessionId(session.sessionId) === client.host ? undefined : client.host,
      clientRealm: realmOfHost(client.host) === client.realm ? undefined : client.realm,
      context: session.context,
      state: states.toNumber[session.state],
      openedAt: session.openedAt,
      changedAt: session.changedAt,
      superviseAt: session.superviseAt,
      armedAt: session.armedAt,
      services: services.map(fromService),
      // They stand behind the other fields, encoded already.
      answers: NONE,
      seen: seen.length === 1 ? (seen[0] as readonly number[]) : seen.flat(),
    };
    if (session.facts !== undefined)
      message.facts = { ...session.facts, role: roles.toNumber[session.facts.role ?? 'none'] };
    if (session.factsAt !== undefined) message.factsAt = session.factsAt;
    if (session.via !== undefined) message.via = session.via;
    if (session.pending !== undefined) message.pending = fromPending(session.pending);
    if (session.reauthoriseAt !== undefined) message.reauthoriseAt = session.reauthoriseAt;
    if (session.askedUntil !== undefined) message.askedUntil = session.askedUntil;
    if (session.described !== undefined) message.described = session.described;
    const { unknown = NONE } = session;
    message.$unknowns = [runs.of(given), ...unknown];
    return sessions.encode(message);
  }

  function fromPending({ kind, reason, scope, ...rest }: Pending): PendingMessage {
    return {
      ...{ ...rest, ...scope },
      kind: pendingKinds.toNumber[kind],
      reason: reasons.toNumber[reason],
    };
  }

  function fromService(service: Service): ServiceMessage {
    const message: ServiceMessage = {
      ratingGroup: service.ratingGroup,
      serviceIds: service.serviceIds,
      rule: service.rule,
      planVersion: service.planVersion,
      unit: units.toNumber[service.unit],
      grant: service.grant,
      used: service.used,
      rated: service.rated,
      cost: service.cost,
      price: service.price,
      exhausted: exhaustions.toNumber[service.exhausted ?? 'none'],
    };
    if (service.plan !== undefined) message.plan = service.plan;
    if (service.share !== undefined) message.share = service.share;
    if (service.switch !== undefined) message.switch = service.switch;
    if (service.ratedUntil !== undefined) message.ratedUntil = service.ratedUntil;
    if (service.earlier !== undefined) message.earlier = service.earlier;
    if (service.unknown !== undefined) message.$unknowns = service.unknown as Uint8Array[];
    const unknown = service.grant?.unknown;
    if (service.grant !== undefined && unknown !== undefined)
      message.grant = { ...service.grant, $unknowns: unknown as Uint8Array[] };
    return message;
  }

  function decode(bytes: Uint8Array): Session {
    const message = sessions.decode(bytes);
    const host = message.clientHost ?? hostOfSessionId(message.sessionId);
    const session: Session = {
      sessionId: message.sessionId,
      account: { tenant: message.tenant, account: message.account },
      subscriber: { kind: kinds.toWord(message.subscriberKind), id: message.subscriberId },
      client: { host, realm: message.clientRealm ?? realmOfHost(host) },
      context: message.context,
      state: states.toWord(message.state),
      openedAt: message.openedAt,
      changedAt: message.changedAt,
      superviseAt: message.superviseAt,
      armedAt: message.armedAt,
      services: message.services.map(toService),
      answers: message.answers.map(toAnswered),
      seen: toRanges(message.seen),
    };
    if (isPresent(message.subSessionId)) session.subSessionId = message.subSessionId;
    if (isPresent(message.facts)) session.facts = toFacts(message.facts);
    if (isPresent(message.factsAt)) session.factsAt = message.factsAt;
    if (isPresent(message.via)) session.via = message.via;
    if (isPresent(message.pending)) session.pending = toPending(message.pending);
    if (isPresent(message.reauthoriseAt)) session.reauthoriseAt = message.reauthoriseAt;
    if (isPresent(message.askedUntil)) session.askedUntil = message.askedUntil;
    if (isPresent(message.described)) session.described = message.described;
    if (message.$unknowns !== undefined) session.unknown = message.$unknowns;
    return session;
  }

  function toPending(message: PendingMessage): Pending {
    const { ratingGroup, serviceId, pool, endToEnd } = message;
    const { attempts, sends, deadEnds, acknowledged, nextAt } = message;
    const scope: Scope = {};
    if (isPresent(ratingGroup)) scope.ratingGroup = ratingGroup;
    if (isPresent(serviceId)) scope.serviceId = serviceId;
    if (isPresent(pool)) scope.pool = pool;
    return {
      kind: pendingKinds.toWord(message.kind),
      reason: reasons.toWord(message.reason),
      scope,
      ...{ attempts, sends, deadEnds, acknowledged, nextAt },
      ...(isPresent(endToEnd) ? { endToEnd } : {}),
      ...(isPresent(message.left) && message.left.length > 0
        ? { left: message.left.map(toServiceKey) }
        : {}),
    };
  }

  function toServiceKey({ ratingGroup, serviceIds }: ServiceKeyMessage): ServiceKey {
    return isPresent(ratingGroup) ? { ratingGroup, serviceIds } : { serviceIds };
  }

  function toService(message: ServiceMessage): Service {
    const service: Service = {
      serviceIds: message.serviceIds,
      rule: message.rule,
      planVersion: message.planVersion,
      unit: units.toWord(message.unit),
      used: message.used,
      rated: message.rated,
      cost: message.cost,
    };
    if (isPresent(message.ratingGroup)) service.ratingGroup = message.ratingGroup;
    if (isPresent(message.grant)) service.grant = toGrant(message.grant);
    if (isPresent(message.price)) service.price = toPrice(message.price);
    if (isPresent(message.plan)) service.plan = message.plan;
    if (isPresent(message.share)) {
      const { called, count, of, units } = message.share;
      service.share = { called, count, of, units };
    }
    if (isPresent(message.switch)) service.switch = toSwitch(message.switch);
    if (isPresent(message.ratedUntil)) service.ratedUntil = message.ratedUntil;
    if (isPresent(message.earlier)) service.earlier = toEarlier(message.earlier);
    const exhausted = exhaustions.toWord(message.exhausted);
    if (exhausted !== 'none') service.exhausted = exhausted;
    if (message.$unknowns !== undefined) service.unknown = message.$unknowns;
    return service;
  }

  function toGrant(message: GrantMessage): Grant {
    const grant: Grant = {
      parts: message.parts.map(toPart),
      units: message.units,
      final: message.final,
    };
    if (isPresent(message.validUntil)) grant.validUntil = message.validUntil;
    if (isPresent(message.limits) && message.limits.length > 0)
      grant.limits = message.limits.map(toPart);
    if (isPresent(message.switch)) grant.switch = toSwitch(message.switch);
    if (isPresent(message.pool)) grant.pool = message.pool;
    if (message.$unknowns !== undefined) grant.unknown = message.$unknowns;
    return grant;
  }

  function toAnswered(bytes: Uint8Array): Answered {
    const { number, digest, at, answer: later } = answereds.decode(bytes);
    let answer: Answer | undefined;
    const answered: Answered = {
      number,
      digest,
      at,
      get answer() {
        answer ??= answers.decode(later);
        return answer;
      },
    };
    keepBytes(answered, bytes);
    return answered;
  }

  function toFacts(message: FactsMessage): Facts {
    const facts: Facts = {};
    const { apn, rat, visited, called, calling } = message;
    const role = roles.toWord(message.role);
    if (isPresent(apn)) facts.apn = apn;
    if (isPresent(rat)) facts.rat = rat;
    if (isPresent(visited)) facts.visited = visited;
    if (isPresent(called)) facts.called = called;
    if (isPresent(calling)) facts.calling = calling;
    if (role !== 'none') facts.role = role;
    return facts;
  }

  return { encode, decode };
}

function toPart({ bucket, units, amount, period }: PartMessage): Part {
  const part: Part = { bucket, units, amount };
  if (isPresent(period)) part.period = period;
  return part;
}

function toEarlier({ until, rule, plan, planVersion, price, rated }: EarlierMessage): Earlier {
  const earlier: Earlier = { until, rule, planVersion, rated };
  if (isPresent(plan)) earlier.plan = plan;
  if (isPresent(price)) earlier.price = toPrice(price);
  return earlier;
}

function toSwitch({ at, rule, price, after }: SwitchMessage): Switch {
  const change: Switch = { at, rule };
  if (isPresent(price)) change.price = toPrice(price);
  if (isPresent(after)) change.after = { parts: after.parts.map(toPart), units: after.units };
  return change;
}

function toPrice(message: PriceMessage): Price {
  const price: Price = toRate(message);
  if (isPresent(message.minimum)) price.minimum = message.minimum;
  if (isPresent(message.bands) && message.bands.length > 0)
    price.bands = message.bands.map((band) => ({ from: band.from, ...toRate(band) }));
  if (message.eachReport) price.eachReport = true;
  return price;
}

function toRate({ amount, per, increment, fee }: RateMessage): Rate {
  const rate: Rate = { amount, per, increment };
  if (isPresent(fee)) rate.fee = fee;
  return rate;
}

const NONE: readonly Uint8Array[] = [];

export const sessionCodec: SessionCodec = createSessionCodec(storeSchema);

/** Where most clients name themselves already; a host is stored only where it differs. */
function hostOfSessionId(sessionId: string): string {
  const end = sessionId.indexOf(';');
  return end < 0 ? '' : sessionId.slice(0, end);
}

/** The usual realm of a host, stored only where it differs. */
function realmOfHost(host: string): string {
  const dot = host.indexOf('.');
  return dot < 0 ? '' : host.slice(dot + 1);
}

function toRanges(seen: readonly number[]): Session['seen'] {
  const ranges: [number, number][] = [];
  for (let i = 0; i + 1 < seen.length; i += 2)
    ranges.push([seen[i] as number, seen[i + 1] as number]);
  return ranges;
}

interface SessionMessage extends Unknowns {
  sessionId: string;
  subSessionId: Optional<string>;
  tenant: string;
  account: string;
  subscriberKind: number;
  subscriberId: string;
  clientHost: Optional<string>;
  clientRealm: Optional<string>;
  context: string;
  state: number;
  openedAt: number;
  changedAt: number;
  superviseAt: number;
  armedAt: number;
  services: readonly ServiceMessage[];
  answers: readonly Uint8Array[];
  seen: readonly number[];
  facts?: Optional<FactsMessage>;
  factsAt?: Optional<number>;
  via?: Optional<string>;
  pending?: Optional<PendingMessage>;
  reauthoriseAt?: Optional<number>;
  askedUntil?: Optional<number>;
  described?: Optional<number>;
}

interface PendingMessage {
  kind: number;
  reason: number;
  ratingGroup?: Optional<number>;
  serviceId?: Optional<number>;
  pool?: Optional<number>;
  attempts: number;
  sends: number;
  endToEnd?: Optional<number>;
  deadEnds: number;
  acknowledged: boolean;
  nextAt: number;
  left?: Optional<readonly ServiceKeyMessage[]>;
}

interface ServiceKeyMessage {
  ratingGroup?: Optional<number>;
  serviceIds: readonly number[];
}

type FactsMessage = Optionals<Omit<Facts, 'role'>> & { role: number };
type Optionals<T> = { [K in keyof T]?: Optional<NonNullable<T[K]>> };

interface ServiceMessage extends Unknowns {
  ratingGroup: Optional<number>;
  serviceIds: readonly number[];
  rule: string;
  planVersion: number;
  unit: number;
  grant: Optional<GrantMessage>;
  used: number;
  rated: number;
  cost: number;
  price: Optional<PriceMessage>;
  exhausted: number;
  plan?: Optional<string>;
  share?: Optional<NonNullable<Service['share']>>;
  switch?: Optional<SwitchMessage>;
  ratedUntil?: Optional<number>;
  earlier?: Optional<EarlierMessage>;
}

interface RateMessage {
  amount: number;
  per: number;
  increment: number;
  fee?: Optional<number>;
}

interface PriceMessage extends RateMessage {
  minimum?: Optional<number>;
  bands?: Optional<readonly (RateMessage & { from: number })[]>;
  eachReport?: boolean;
}

interface PartMessage {
  bucket: string;
  units: number;
  amount: number;
  period?: Optional<number>;
}

interface EarlierMessage {
  until: number;
  rule: string;
  plan?: Optional<string>;
  planVersion: number;
  price?: Optional<PriceMessage>;
  rated: number;
}

interface SwitchMessage {
  at: number;
  rule: string;
  price?: Optional<PriceMessage>;
  after?: Optional<{ parts: readonly PartMessage[]; units: number }>;
}

interface GrantMessage extends Unknowns {
  parts: readonly PartMessage[];
  units: number;
  validUntil?: Optional<number>;
  final: boolean;
  limits?: Optional<readonly PartMessage[]>;
  switch?: Optional<SwitchMessage>;
  pool?: Optional<number>;
}

interface AnsweredMessage {
  number: number;
  digest: number;
  at: number;
  answer: Uint8Array;
}

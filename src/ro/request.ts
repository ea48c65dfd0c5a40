/**
 * A Credit-Control-Request in the words of the core (RFC 8506 3.1, TS 32.299 6.4.2): the only
 * place, with `answer.ts`, that knows both vocabularies.
 */
import { clampUnits, LIMIT } from '../charging/money.ts';
import {
  type Asked,
  type AskedService,
  type Refusal,
  type Request,
  serviceKey,
  type Unit,
  type Used,
} from '../charging/request.ts';
import type { CCR } from '../diameter/commands.ts';
import type { Understood, Value } from '../diameter/message.ts';
import type { Identified } from './identify.ts';
import { amountOf, type Currency } from './money.ts';

type MSCC = Understood<Value<'Multiple-Services-Credit-Control'>>;
type RSU = Understood<Value<'Requested-Service-Unit'>>;
type USU = Understood<Value<'Used-Service-Unit'>>;

/** An identified request other than an event. */
export type SessionRequest = Identified & { kind: Request['kind'] };

export function toRequest(
  ccr: Understood<CCR>,
  identified: SessionRequest,
  with_: { currency: Currency; refusal?: Refusal; looseNumbering?: boolean },
): Request {
  const { currency, refusal } = with_;
  const { kind, sessionId, subSessionId, number, client } = identified;
  const subscriber = identified.subscribers[0];
  const cause = ccr['Termination-Cause'];
  return {
    kind,
    sessionId,
    ...(subSessionId === undefined ? {} : { subSessionId }),
    number,
    context: identified.context ?? '',
    ...(subscriber === undefined ? {} : { subscriber }),
    client,
    ...servicesOf(ccr, currency),
    ...(refusal === undefined ? {} : { refusal }),
    ...(with_.looseNumbering ? { looseNumbering: true } : {}),
    ...(cause === undefined ? {} : { terminationCause: cause }),
  };
}

/** Units travel in services or, where there are none, at command level (RFC 8506 5.1.2). */
function servicesOf(ccr: Understood<CCR>, currency: Currency): Pick<Request, 'level' | 'services'> {
  const services = ccr['Multiple-Services-Credit-Control'];
  if (services !== undefined) {
    return { level: 'services', services: merged(services.map((one) => serviceOf(one, currency))) };
  }
  const asked = ccr['Requested-Service-Unit'];
  const used = ccr['Used-Service-Unit'];
  const identifier = ccr['Service-Identifier'];
  if (asked === undefined && used === undefined) return { level: 'services', services: [] };
  const service = serviceOf(
    {
      ...(asked === undefined ? {} : { 'Requested-Service-Unit': asked }),
      ...(used === undefined ? {} : { 'Used-Service-Unit': used }),
      ...(identifier === undefined ? {} : { 'Service-Identifier': [identifier] }),
    },
    currency,
  );
  return { level: 'command', services: [service] };
}

function serviceOf(mscc: MSCC, currency: Currency): AskedService {
  const ratingGroup = mscc['Rating-Group'];
  const rsu = mscc['Requested-Service-Unit'];
  const usus = mscc['Used-Service-Unit'];
  const serviceIds = [...new Set(mscc['Service-Identifier'] ?? [])].sort((a, b) => a - b);
  const reasons = [...(mscc['Reporting-Reason'] ?? [])];
  for (const { 'Reporting-Reason': reason } of usus ?? []) {
    if (reason !== undefined) reasons.push(reason);
  }
  return {
    ...(ratingGroup === undefined ? {} : { ratingGroup }),
    serviceIds,
    ...(rsu === undefined ? {} : { asked: askedOf(rsu, currency) }),
    ...(usus === undefined ? {} : usedOf(usus, currency)),
    ...(reasons.length === 0 ? {} : { reasons }),
  };
}

function askedOf(rsu: RSU, currency: Currency): Asked {
  const asked: Asked = {};
  const octets = octetsOf(rsu);
  if (octets !== undefined) asked.octets = clampUnits(octets).units;
  if (rsu['CC-Time'] !== undefined) asked.seconds = rsu['CC-Time'];
  const units = rsu['CC-Service-Specific-Units'];
  if (units !== undefined) asked.units = clampUnits(units).units;
  const money = rsu['CC-Money']?.['Unit-Value'];
  if (money !== undefined) asked.money = amountOf(money, currency).amount;
  return asked;
}

/** The sum of several Used-Service-Units of one service (RFC 8506 8.16). */
function usedOf(usus: readonly USU[], currency: Currency): Pick<AskedService, 'used' | 'excess'> {
  const totals: Partial<Record<Unit, bigint>> = {};
  let excess = false;
  const count = (unit: Unit, value: bigint | undefined): void => {
    if (value !== undefined) totals[unit] = (totals[unit] ?? 0n) + value;
  };
  for (const usu of usus) {
    count('octets', octetsOf(usu));
    count('seconds', usu['CC-Time'] === undefined ? undefined : BigInt(usu['CC-Time']));
    count('units', usu['CC-Service-Specific-Units']);
    const money = usu['CC-Money']?.['Unit-Value'];
    if (money !== undefined) {
      const { amount, exact } = amountOf(money, currency);
      excess ||= amount === LIMIT && !exact;
      count('money', BigInt(amount));
    }
  }
  const used: Used = {};
  for (const [unit, total] of Object.entries(totals) as [Unit, bigint][]) {
    const clamped = clampUnits(total);
    used[unit] = clamped.units;
    excess ||= clamped.excess > 0n;
  }
  return { used, ...(excess ? { excess } : {}) };
}

/** CC-Total-Octets or, where it is absent, input and output together; never all three. */
function octetsOf(units: RSU | USU): bigint | undefined {
  const total = units['CC-Total-Octets'];
  if (total !== undefined) return total;
  const input = units['CC-Input-Octets'];
  const output = units['CC-Output-Octets'];
  return input === undefined && output === undefined ? undefined : (input ?? 0n) + (output ?? 0n);
}

/** The same service more than once in one request is one service: usage is summed. */
function merged(services: readonly AskedService[]): AskedService[] {
  const byKey = new Map<string, AskedService>();
  for (const service of services) {
    const key = serviceKey(service);
    const before = byKey.get(key);
    byKey.set(key, before === undefined ? service : join(before, service));
  }
  return [...byKey.values()];
}

function join(a: AskedService, b: AskedService): AskedService {
  const asked = a.asked === undefined ? b.asked : sum(a.asked, b.asked).units;
  const used = a.used === undefined ? undefined : sum(a.used, b.used);
  const excess = a.excess || b.excess || used?.excess;
  const reasons = [...(a.reasons ?? []), ...(b.reasons ?? [])];
  return {
    ...(a.ratingGroup === undefined ? {} : { ratingGroup: a.ratingGroup }),
    serviceIds: a.serviceIds,
    ...(asked === undefined ? {} : { asked }),
    ...(used === undefined ? (b.used === undefined ? {} : { used: b.used }) : { used: used.units }),
    ...(excess ? { excess: true } : {}),
    ...(reasons.length === 0 ? {} : { reasons }),
  };
}

function sum(a: Used, b: Used | undefined): { units: Used; excess: boolean } {
  const units: Used = { ...a };
  let excess = false;
  for (const [unit, value] of Object.entries(b ?? {}) as [Unit, number][]) {
    const total = (units[unit] ?? 0) + value;
    excess ||= total > LIMIT;
    units[unit] = Math.min(LIMIT, total);
  }
  return { units, excess };
}

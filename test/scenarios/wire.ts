/** Requests and answers of a scenario, between their words and the codec's messages. */
import type { CCA, CCR } from '../../src/diameter/commands.ts';
import type { Value } from '../../src/diameter/message.ts';
import { eventWords } from './event.ts';
import { factsOf } from './facts.ts';
import { wordsOf } from './script.ts';

const TYPES: Record<string, number> = { initial: 1, update: 2, terminate: 3 };
const SUBSCRIBER_TYPES: Record<string, number> = { e164: 0, imsi: 1, sip: 2, nai: 3, private: 4 };
const REASONS: Record<string, number> = {
  ...{ THRESHOLD: 0, QHT: 1, FINAL: 2, QUOTA_EXHAUSTED: 3, VALIDITY_TIME: 4, POOL_EXHAUSTED: 8 },
};
/** Tariff-Change-Usage (RFC 8506 8.27). */
const USAGES: Record<string, number> = { 'used-before': 0, 'used-after': 1, 'used-straddling': 2 };

type Service = Value<'Multiple-Services-Credit-Control'>;

type Units = Pick<
  Value<'Requested-Service-Unit'>,
  | 'CC-Time'
  | 'CC-Money'
  | 'CC-Total-Octets'
  | 'CC-Input-Octets'
  | 'CC-Output-Octets'
  | 'CC-Service-Specific-Units'
>;

/**
 * `initial SESSION NUMBER [kind:id] [context=C] [sub=N] [from=HOST]`, what it says of its use
 * (`facts.ts`), and its service lines.
 */
export function requestOf(words: readonly string[], details: readonly string[]): CCR {
  const [command = '', session = '', number = '', ...rest] = words;
  const options = new Map(rest.map((word) => wordsOf(word)[0] ?? ['', '']));
  const subscribers = rest.filter((word) => /^(e164|imsi|sip|nai|private):/.test(word));
  const services = details.filter((line) => !line.trim().startsWith('command'));
  const commandLine = details.find((line) => line.trim().startsWith('command'));
  const sub = options.get('sub');
  const context = options.get('context') ?? '32251@3gpp.org';
  return {
    'Session-Id': `gw.example;${session}`,
    'Origin-Host': options.get('from') ?? 'gw.example',
    'Origin-Realm': 'example',
    'Destination-Realm': 'tollkeeper.example',
    'Auth-Application-Id': 4,
    'Service-Context-Id': context,
    'CC-Request-Type': TYPES[command] ?? 0,
    'CC-Request-Number': Number(number),
    ...(sub === undefined ? {} : { 'CC-Sub-Session-Id': BigInt(sub) }),
    ...(subscribers.length === 0
      ? {}
      : { 'Subscription-Id': subscribers.map((text) => subscriberOf(text)) }),
    ...(services.length === 0
      ? {}
      : { 'Multiple-Services-Credit-Control': services.map((line) => serviceOf(line)) }),
    ...(commandLine === undefined ? {} : commandLevelOf(commandLine)),
    ...factsOf(options, context),
  };
}

/** The message with an AVP at its end that nobody knows and everybody must: 5001. */
export function withUnknownAVP(message: Buffer): Buffer {
  const unknown = Buffer.from('00ffffff4000000c00000000', 'hex');
  const longer = Buffer.concat([message, unknown]);
  longer.writeUIntBE(longer.length, 1, 3);
  return longer;
}

function subscriberOf(text: string): Value<'Subscription-Id'> {
  const [kind = '', ...id] = text.split(':');
  return {
    'Subscription-Id-Type': SUBSCRIBER_TYPES[kind] ?? 0,
    'Subscription-Id-Data': id.join(':'),
  };
}

function commandLevelOf(line: string): Partial<CCR> {
  const service = serviceOf(line);
  const asked = service['Requested-Service-Unit'];
  const used = service['Used-Service-Unit'];
  return {
    ...(asked === undefined ? {} : { 'Requested-Service-Unit': asked }),
    ...(used === undefined ? {} : { 'Used-Service-Unit': used }),
  };
}

function serviceOf(line: string): Value<'Multiple-Services-Credit-Control'> {
  const service: Value<'Multiple-Services-Credit-Control'> = {};
  for (const [key, value] of wordsOf(line)) {
    if (key === 'rg') service['Rating-Group'] = Number(value);
    else if (key === 'si') service['Service-Identifier'] = value.split(',').map(Number);
    else if (key === 'ask') service['Requested-Service-Unit'] = value === '' ? {} : unitsOf(value);
    else if (key === 'used')
      service['Used-Service-Unit'] = [...(service['Used-Service-Unit'] ?? []), unitsOf(value)];
    else if (USAGES[key] !== undefined)
      service['Used-Service-Unit'] = [
        ...(service['Used-Service-Unit'] ?? []),
        { 'Tariff-Change-Usage': USAGES[key], ...unitsOf(value) },
      ];
    else if (key === 'reason') service['Reporting-Reason'] = [REASONS[value] ?? Number(value)];
    else if (key !== 'service' && key !== 'command') throw new Error(`no such word: ${key}`);
  }
  return service;
}

/** `octets:1000`, `in:1,out:2`, `seconds:60`, `units:1`, `money:0.50`. */
function unitsOf(text: string): Units {
  const units: Units = {};
  for (const part of text.split(',')) {
    const [unit, amount = '0'] = part.split(':');
    if (unit === 'octets') units['CC-Total-Octets'] = BigInt(amount);
    else if (unit === 'in') units['CC-Input-Octets'] = BigInt(amount);
    else if (unit === 'out') units['CC-Output-Octets'] = BigInt(amount);
    else if (unit === 'seconds') units['CC-Time'] = Number(amount);
    else if (unit === 'units') units['CC-Service-Specific-Units'] = BigInt(amount);
    else if (unit === 'money') units['CC-Money'] = { 'Unit-Value': decimalOf(amount) };
    else throw new Error(`no such unit: ${unit}`);
  }
  return units;
}

function decimalOf(text: string): Value<'Unit-Value'> {
  const [whole = '0', fraction = ''] = text.split('.');
  return {
    'Value-Digits': BigInt(whole + fraction),
    ...(fraction === '' ? {} : { Exponent: -fraction.length }),
  };
}

/** An answer in words: the Result-Code, the command level, then a line for each service. */
export function answerLines(cca: CCA): string[] {
  const failed =
    cca['Failed-AVP']?.map((avp) => `failed=${Object.keys(avp).join() || 'unknown'}`) ?? [];
  const low = cca['Low-Balance-Indication'] === 1 ? ['low-balance'] : [];
  const lines = [
    [
      cca['Result-Code'],
      ...quotaWords(cca),
      ...balanceWords(cca),
      ...low,
      ...eventWords(cca),
      ...failed,
    ].join(' '),
  ];
  for (const service of cca['Multiple-Services-Credit-Control'] ?? []) {
    const holding = service['Quota-Holding-Time'];
    const threshold =
      service['Volume-Quota-Threshold'] ??
      service['Time-Quota-Threshold'] ??
      service['Unit-Quota-Threshold'];
    lines.push(
      [
        ' ',
        service['Rating-Group'] === undefined ? 'service' : `rg=${service['Rating-Group']}`,
        ...(service['Service-Identifier'] ? [`si=${service['Service-Identifier'].join()}`] : []),
        service['Result-Code'],
        ...usageWords(service),
        ...quotaWords(service),
        ...poolWords(service),
        ...(threshold === undefined ? [] : [`threshold=${threshold}`]),
        ...(holding === undefined ? [] : [`holding=${holding}`]),
      ].join(' '),
    );
  }
  return lines;
}

function quotaWords(
  level: Pick<CCA, 'Granted-Service-Unit' | 'Validity-Time' | 'Final-Unit-Indication'>,
): string[] {
  const granted = level['Granted-Service-Unit'];
  const validity = level['Validity-Time'];
  const words: string[] = [];
  if (granted?.['CC-Total-Octets'] !== undefined)
    words.push(`granted=octets:${granted['CC-Total-Octets']}`);
  if (granted?.['CC-Time'] !== undefined) words.push(`granted=seconds:${granted['CC-Time']}`);
  if (granted?.['CC-Service-Specific-Units'] !== undefined)
    words.push(`granted=units:${granted['CC-Service-Specific-Units']}`);
  const money = granted?.['CC-Money'];
  if (money !== undefined) {
    const { 'Value-Digits': digits, Exponent: exponent = 0 } = money['Unit-Value'];
    words.push(`granted=money:${digits}e${exponent}/${money['Currency-Code']}`);
  }
  const change = granted?.['Tariff-Time-Change'];
  if (change !== undefined) words.push(`change=${new Date(change * 1000).toISOString()}`);
  if (validity !== undefined) words.push(`validity=${validity}`);
  return [...words, ...finalWords(level['Final-Unit-Indication'])];
}

/** `before` or `after`: which side of a tariff change a quota is for. */
function usageWords({ 'Tariff-Change-Usage': usage }: Service): string[] {
  return usage === undefined ? [] : [['before', 'after'][usage] ?? String(usage)];
}

/** `pool=1*10e-6`: the pool and its multiplier. */
function poolWords({ 'G-S-U-Pool-Reference': pools }: Service): string[] {
  return (pools ?? []).map(
    ({ 'G-S-U-Pool-Identifier': id, 'Unit-Value': { 'Value-Digits': digits, Exponent } }) =>
      `pool=${id}*${digits}e${Exponent ?? 0}`,
  );
}

/** `balance=1000e-2`, in the account's currency. */
function balanceWords({ 'Remaining-Balance': balance }: CCA): string[] {
  if (balance === undefined) return [];
  const { 'Value-Digits': digits, Exponent = 0 } = balance['Unit-Value'];
  return [`balance=${digits}e${Exponent}`];
}

/** `final=redirect to=URL`, `final=restrict filters=ID,ID`. */
function finalWords(final: CCA['Final-Unit-Indication']): string[] {
  if (final === undefined) return [];
  const to = final['Redirect-Server']?.['Redirect-Server-Address'];
  const filters = [...(final['Restriction-Filter-Rule'] ?? []), ...(final['Filter-Id'] ?? [])];
  return [
    `final=${['terminate', 'redirect', 'restrict'][final['Final-Unit-Action']]}`,
    ...(to === undefined ? [] : [`to=${to}`]),
    ...(filters.length === 0 ? [] : [`filters=${filters.join()}`]),
  ];
}

/**
 * The log: one JSON object a line on stderr, or one readable line each where a person watches.
 * Whatever is logged passes through `redact` on its way out, the text of errors included: no whole
 * subscriber number, no location, no balance and no password leaves this process by its log.
 */
import { hash } from 'node:crypto';
import pino from 'pino';
import type { SubscriberId } from './charging/request.ts';

export type Log = pino.Logger;
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

export interface LogOptions {
  level: LogLevel;
  /** Members of every line, such as `{ worker: 1 }`. */
  fields?: Readonly<Record<string, unknown>>;
  /** One readable line each instead of JSON; true where stderr is a terminal. */
  readable?: boolean;
  /** Takes whole lines; stderr unless a test says otherwise. */
  write?: (line: string) => void;
}

/** A log that may be given to anything: what it writes is redacted. */
export function createLog({
  level,
  fields = {},
  readable = process.stderr.isTTY === true,
  write = (line) => process.stderr.write(line),
}: LogOptions): Log {
  return pino(
    {
      level,
      base: fields,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: pino.stdSerializers.err, error: pino.stdSerializers.err },
    },
    {
      write(line: string) {
        const safe = redact(JSON.parse(line)) as Line;
        write(readable ? readableLine(safe) : `${JSON.stringify(safe)}\n`);
      },
    },
  );
}

/** Members that hold money or units of a subscriber, or where one is: never shown at all. */
const SECRET_MEMBERS = new Set([
  ...['amount', 'available', 'balance', 'buckets', 'changes', 'cost', 'counters', 'opening'],
  ...['openings', 'overdraft', 'reserved', 'movements'],
  ...['location', 'userLocationInfo', 'cell', 'imei', 'framedIpAddress'],
  ...['authorization', 'password', 'token'],
]);
const SUBSCRIBER_MEMBERS = new Set(['subscriber', 'subscriberId', 'imsi', 'msisdn', 'e164']);
const SESSION_MEMBERS = new Set(['session', 'sessionId', 'sessionKey']);
/** Figures of these may be as large as a number of ten digits; others are taken for one. */
const FIGURE_MEMBERS = /(At|Ms|Us|Seconds|Bytes|Octets|epoch)$|^(at|ms|bytes|octets|pid)$/;
/** A record's id is `<epoch>-<number>`: digits, but of no subscriber. */
const RECORD_ID = /^\d{1,16}-\d{1,16}$/;
const MAX_DEPTH = 8;

/** A value as it may be logged. Session-Ids become tags, since they often contain an IMSI. */
export function redact(value: unknown, member = '', depth = 0): unknown {
  if (value === null || value === undefined) return value;
  if (SECRET_MEMBERS.has(member)) return '[redacted]';
  if (SESSION_MEMBERS.has(member) && typeof value === 'string') return sessionTag(value);
  if (SUBSCRIBER_MEMBERS.has(member)) return redactSubscriber(value);
  if (typeof value === 'string')
    return member === 'record' && RECORD_ID.test(value) ? value : redactText(value);
  if (typeof value === 'number' && Math.abs(value) >= 1e9)
    return FIGURE_MEMBERS.test(member) ? value : redactText(String(value));
  if (typeof value !== 'object') return value;
  if (depth >= MAX_DEPTH) return '[deep]';
  if (Array.isArray(value)) return value.map((item) => redact(item, member, depth + 1));
  if (isBytes(value)) return `[${value.data.length} octets]`;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [redactText(name), redact(item, name, depth + 1)]),
  );
}

/** Text with every number that may be a subscriber's, every hexadecimal dump and password masked. */
export function redactText(text: string): string {
  return text
    .replaceAll(/(\w+:\/\/)[^\s/@]*@/g, '$1***@')
    .replaceAll(/[0-9a-f]{32,}/gi, (run) => `[${run.length} hexadecimal digits]`)
    .replaceAll(/\d{7,}/g, maskDigits);
}

/**
 * A subscriber fit to be shown: `49170******1`. Enough to tell two apart when one knows them, not
 * enough to call one. Names keep their first letter and their domain.
 */
export function maskSubscriber(subscriber: SubscriberId | string): string {
  const id = typeof subscriber === 'string' ? subscriber : subscriber.id;
  const digits = /^(\+?)(\d+)$/.exec(id);
  if (digits !== null) return `${digits[1]}${maskDigits(digits[2]!)}`;
  const at = id.lastIndexOf('@');
  const [name, domain] = at < 0 ? [id, ''] : [id.slice(0, at), id.slice(at)];
  const [, scheme = '', rest = ''] = /^(sips?:|tel:)?(.*)$/s.exec(name)!;
  const masked = /^\+?\d+$/.test(rest) ? maskSubscriber(rest) : `${rest.slice(0, 1)}***`;
  return `${scheme}${masked}${redactText(domain)}`;
}

/** What stands for a session in the log: 72 bits of the SHA-256 of its Session-Id. */
export function sessionTag(sessionId: string): string {
  return `s:${hash('sha256', sessionId, 'base64url').slice(0, 12)}`;
}

/** The first five digits (country and network) and the last one; short numbers disappear whole. */
function maskDigits(digits: string): string {
  if (digits.length < 7) return '*'.repeat(digits.length);
  return `${digits.slice(0, 5)}${'*'.repeat(digits.length - 6)}${digits.slice(-1)}`;
}

function redactSubscriber(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(redactSubscriber);
  if (typeof value === 'object' && value !== null) {
    const { kind, id } = value as Partial<SubscriberId>;
    return `${redactText(String(kind))}:${maskSubscriber(String(id))}`;
  }
  const text = String(value);
  const named = /^(e164|imsi|sip|nai|private):(.*)$/s.exec(text);
  if (named === null || named[1] === 'sip') return maskSubscriber(text);
  return `${named[1]}:${maskSubscriber(named[2]!)}`;
}

/** A Buffer as JSON shows it. */
function isBytes(value: object): value is { data: number[] } {
  const { type, data } = value as { type?: unknown; data?: unknown };
  return type === 'Buffer' && Array.isArray(data);
}

interface Line {
  time: string;
  level: string;
  msg?: string;
  [member: string]: unknown;
}

/** `12:44:45.123 warn  worker=1 the text key=value`, an error's stack below it. */
function readableLine({ time, level, msg, ...members }: Line): string {
  const { err, error = err, ...rest } = members as { err?: unknown; error?: unknown };
  const pairs = Object.entries(rest).map(([name, value]) => `${name}=${shown(value)}`);
  const head = [time.slice(11, 23), level.padEnd(5), printable(msg ?? ''), ...pairs];
  const stack = (error as { stack?: unknown } | undefined)?.stack;
  const below = typeof stack === 'string' ? stack.split('\n') : error ? [shown(error)] : [];
  return [
    head.filter((part) => part !== '').join(' '),
    ...below.map((line) => `  ${printable(line)}`),
    '',
  ].join('\n');
}

function shown(value: unknown): string {
  if (typeof value === 'string' && /^[^\s"=]+$/.test(value)) return printable(value);
  return printable(JSON.stringify(value));
}

/** Without control characters: what a client sends must not move the cursor of who reads the log. */
function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, '\ufffd');
}

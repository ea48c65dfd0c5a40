/**
 * Requests as people write them, for `plan test`: a YAML file with what a subscriber does, in its
 * order.
 *
 *     requests:
 *       - { at: 2026-06-10T21:50:00+02:00, context: 32260@3gpp.org, called: '4917012345' }
 *       - { at: 2026-06-10T22:10:00+02:00, used: { seconds: 20 min } }
 *       - { kind: termination, used: { seconds: 90 s } }
 *
 * What is left out is as in the request before: its time, its session and that one's context. The
 * first request of a session is its initial one, the others are updates. A request has one service,
 * or several in `services`; each asks for more unless it says `asks: nothing`.
 */
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { serviceContext } from '../charging/context.ts';
import type { EventAction, EventRequest } from '../charging/event.ts';
import type { Asked, AskedService, Facts, Request, Unit, Used } from '../charging/request.ts';
import { type Finding, type Path, type Problem, show } from './problem.ts';
import { parseQuantity, parseTime } from './quantity.ts';
import { readSource } from './source.ts';
import { RAT_TYPES } from './wire-names.ts';

/** A request, and the time at which it arrives in ms. */
export interface TimedRequest {
  at: number;
  asked: { kind: 'session'; request: Request } | { kind: 'event'; request: EventRequest };
}

type WrittenUnits = Partial<Record<Unit, number | string>>;

interface WrittenService {
  ratingGroup?: number;
  serviceIdentifier?: readonly number[];
  asks?: 'any' | 'nothing' | WrittenUnits;
  used?: WrittenUnits;
  usedAfter?: WrittenUnits;
  usedIndeterminate?: WrittenUnits;
}

interface WrittenRequest extends WrittenService {
  at?: string;
  session?: string;
  kind?: Request['kind'] | EventAction;
  context?: string;
  apn?: string;
  rat?: number | keyof typeof RAT_TYPES;
  visited?: string;
  called?: string;
  calling?: string;
  role?: NonNullable<Facts['role']>;
  tariffChange?: 'single' | 'dual';
  services?: readonly WrittenService[];
}

interface WrittenFile {
  requests: readonly WrittenRequest[];
}

const units = {
  title: "amounts by unit, such as { octets: 10 MB } or { seconds: '90 s' }",
  type: 'object',
  additionalProperties: false,
  minProperties: 1,
  properties: Object.fromEntries(
    ['octets', 'seconds', 'units', 'money'].map((unit) => [
      unit,
      { title: 'an amount', type: ['integer', 'string'], minimum: 0, maximum: 2 ** 53 - 1 },
    ]),
  ),
};
const unsigned32 = {
  title: 'a whole number below 2^32',
  type: 'integer',
  minimum: 0,
  maximum: 2 ** 32 - 1,
};
const text = { title: 'some text', type: 'string', minLength: 1, maxLength: 256 };
const digits = { title: 'digits in quotes', type: 'string', pattern: '^[0-9*#]{1,32}$' };
const oneOf = (...words: string[]) => ({ title: `one of ${words.join(', ')}`, enum: words });
const serviceMembers = {
  ratingGroup: unsigned32,
  serviceIdentifier: {
    title: 'a list of Service-Identifiers',
    type: 'array',
    minItems: 1,
    maxItems: 64,
    items: unsigned32,
  },
  asks: {
    title: 'any, nothing, or amounts by unit such as { octets: 10 MB }',
    anyOf: [{ enum: ['any', 'nothing'] }, units],
  },
  used: units,
  usedAfter: units,
  usedIndeterminate: units,
};
const schema = {
  title: 'requests',
  type: 'object',
  additionalProperties: false,
  required: ['requests'],
  properties: {
    requests: {
      title: 'a list of requests',
      type: 'array',
      minItems: 1,
      maxItems: 100_000,
      items: {
        title: 'a request',
        type: 'object',
        additionalProperties: false,
        properties: {
          at: {
            title: 'a time with its zone, such as 2026-06-10T21:50:00+02:00',
            type: 'string',
            pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d(:\\d\\d)?(Z|[+-]\\d\\d:\\d\\d)$',
          },
          session: text,
          kind: oneOf(
            ...['initial', 'update', 'termination'],
            ...['debit', 'refund', 'balance-check', 'price-enquiry'],
          ),
          context: text,
          apn: text,
          rat: {
            title: `one of ${Object.keys(RAT_TYPES).join(', ')}, or a number from 0 to 255`,
            anyOf: [
              { enum: Object.keys(RAT_TYPES) },
              { type: 'integer', minimum: 0, maximum: 255 },
            ],
          },
          visited: digits,
          called: digits,
          calling: digits,
          role: oneOf('originating', 'terminating', 'forwarding'),
          tariffChange: oneOf('single', 'dual'),
          services: {
            title: 'a list of services',
            type: 'array',
            minItems: 1,
            maxItems: 100,
            items: {
              title: 'a service',
              type: 'object',
              additionalProperties: false,
              properties: serviceMembers,
            },
          },
          ...serviceMembers,
        },
      },
    },
  },
};

let compiled: ValidateFunction<WrittenFile> | undefined;

/** All problems at once, in the order of the file; `moneyDigits` are the tenant's. */
export function readRequests(
  file: string,
  { content, moneyDigits }: { content: string; moneyDigits: number },
): { requests: TimedRequest[] } | { problems: Problem[] } {
  const read = readSource(content, file);
  if ('problems' in read) return read;
  const { value, place } = read.source;
  compiled ??= new Ajv2020({ allErrors: true, verbose: true, strictTypes: false }).compile(schema);
  const findings: Finding[] = [];
  const requests: TimedRequest[] = [];
  if (compiled(value)) {
    const translation = new Translation(moneyDigits, (finding) => findings.push(finding));
    for (const [index, written] of value.requests.entries()) {
      const request = translation.next(written, ['requests', index]);
      if (request !== undefined) requests.push(request);
    }
  } else findings.push(...findingsOf(compiled.errors ?? []));
  if (findings.length === 0) return { requests };
  const problems = findings.map(place);
  problems.sort((a, b) => a.line - b.line || a.column - b.column);
  return { problems };
}

/** One finding a value. */
function findingsOf(errors: readonly ErrorObject[]): Finding[] {
  const findings = new Map<string, Finding>();
  // Where no choice of several fits, that is said after each choice's own reason.
  for (const { instancePath, keyword, params, parentSchema, data } of errors.toReversed()) {
    const path = instancePath
      .split('/')
      .slice(1)
      .map((step) => (/^\d+$/.test(step) ? Number(step) : step));
    const expected = (parentSchema as { title?: string } | undefined)?.title ?? 'another value';
    if (keyword === 'additionalProperties') {
      const key = String(params.additionalProperty);
      const known = Object.keys((parentSchema as { properties?: object }).properties ?? {});
      findings.set(`${instancePath}/${key}`, {
        path: [...path, key],
        at: 'key',
        found: `unknown member ${show(key)}`,
        expected: `one of ${known.join(', ')}`,
      });
    } else if (!findings.has(instancePath))
      findings.set(instancePath, { path, found: show(data), expected });
  }
  return [...findings.values()];
}

/** Translates one request after the other; each leans on those before. */
class Translation {
  readonly #moneyDigits: number;
  readonly #report: (finding: Finding) => void;
  readonly #sessions = new Map<string, { context: string; number: number }>();
  #at: number | undefined;
  #session = 'session-1';
  #events = 0;

  constructor(moneyDigits: number, report: (finding: Finding) => void) {
    this.#moneyDigits = moneyDigits;
    this.#report = report;
  }

  /** Undefined: something is wrong with it, and reported. */
  next(written: WrittenRequest, path: Path): TimedRequest | undefined {
    const at = this.#time(written, path);
    this.#session = written.session ?? this.#session;
    const session = this.#sessions.get(this.#session);
    const sent = written.context ?? session?.context;
    if (sent === undefined)
      this.#report({
        path: [...path, 'context'],
        found: 'nothing',
        expected: 'the context of a new session',
      });
    const services = this.#services(written, path);
    if (at === undefined || sent === undefined) return undefined;
    const { kind = session === undefined ? 'initial' : 'update', tariffChange } = written;
    const facts = factsOf(written);
    const common = {
      context: serviceContext(sent),
      subscriber: { kind: 'private', id: 'plan test' } as const,
      client: { host: 'plan.test', realm: 'test' },
      level: 'services' as const,
      ...(facts === undefined ? {} : { facts }),
    };
    if (kind === 'initial' || kind === 'update' || kind === 'termination') {
      const number = (session?.number ?? -1) + 1;
      this.#sessions.set(this.#session, { context: sent, number });
      const asking = kind === 'termination' ? services.map(withoutAsking) : services;
      const request: Request = {
        kind,
        sessionId: this.#session,
        number,
        ...common,
        services: asking,
      };
      if (tariffChange !== undefined) request.tariffChange = tariffChange;
      return { at, asked: { kind: 'session', request } };
    }
    const sessionId = written.session ?? `event-${++this.#events}`;
    const request: EventRequest = { action: kind, sessionId, number: 0, ...common, services };
    return { at, asked: { kind: 'event', request } };
  }

  #time({ at: written }: WrittenRequest, path: Path): number | undefined {
    const expected = 'a time, at or after that of the request before';
    if (written === undefined) {
      if (this.#at === undefined)
        this.#report({ path: [...path, 'at'], found: 'nothing', expected });
      return this.#at;
    }
    const parsed = parseTime(written);
    if ('expected' in parsed || parsed.value < (this.#at ?? 0)) {
      this.#report({ path: [...path, 'at'], found: show(written), expected });
      return undefined;
    }
    this.#at = parsed.value;
    return parsed.value;
  }

  #services(written: WrittenRequest, path: Path): AskedService[] {
    if (written.services === undefined) return [this.#service(written, path)];
    const own = Object.keys(serviceMembers).find((member) => member in written);
    if (own !== undefined)
      this.#report({
        path: [...path, own],
        at: 'key',
        found: `${own} beside services`,
        expected: 'one of them only',
      });
    return written.services.map((one, index) => this.#service(one, [...path, 'services', index]));
  }

  #service(written: WrittenService, path: Path): AskedService {
    const { ratingGroup, serviceIdentifier = [], asks = 'any' } = written;
    const service: AskedService = {
      ...(ratingGroup === undefined ? {} : { ratingGroup }),
      serviceIds: [...new Set(serviceIdentifier)].sort((a, b) => a - b),
    };
    if (asks === 'any') service.asked = {};
    else if (asks !== 'nothing') service.asked = this.#units(asks, [...path, 'asks']);
    for (const member of ['used', 'usedAfter', 'usedIndeterminate'] as const) {
      const units = written[member];
      if (units !== undefined) service[member] = this.#units(units, [...path, member]);
    }
    return service;
  }

  #units(written: WrittenUnits, path: Path): Asked & Used {
    const units: Asked & Used = {};
    for (const [name, amount] of Object.entries(written)) {
      const unit = name as Unit;
      const parsed = parseQuantity(amount, { unit, digits: this.#moneyDigits });
      if ('value' in parsed && parsed.value >= 0) units[unit] = parsed.value;
      else {
        const expected = 'expected' in parsed ? parsed.expected : 'no less than 0';
        this.#report({ path: [...path, unit], found: show(amount), expected });
      }
    }
    return units;
  }
}

function withoutAsking({ asked: _nothing, ...service }: AskedService): AskedService {
  return service;
}

function factsOf(written: WrittenRequest): Facts | undefined {
  const { apn, rat, visited, called, calling, role } = written;
  const facts: Facts = {
    ...(apn === undefined ? {} : { apn: apn.toLowerCase() }),
    ...(rat === undefined ? {} : { rat: typeof rat === 'number' ? rat : RAT_TYPES[rat] }),
    ...(visited === undefined ? {} : { visited }),
    ...(called === undefined ? {} : { called }),
    ...(calling === undefined ? {} : { calling }),
    ...(role === undefined ? {} : { role }),
  };
  return Object.keys(facts).length === 0 ? undefined : facts;
}

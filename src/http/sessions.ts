/** `/v1/sessions`: charging sessions, as the store has them at this moment. */
import type { FastifyInstance } from 'fastify';
import type { Account } from '../charging/account.ts';
import type { Pending } from '../charging/pending.ts';
import type { Share, SubscriberId, Unit } from '../charging/request.ts';
import type { Grant, Part, Service, Session, SessionState } from '../charging/session.ts';
import { readNamed } from '../engine/sub-sessions.ts';
import { TollkeeperError } from '../errors.ts';
import { cursorOf, nextSchema, type PageQuery, pageOf, pageQuery } from './paging.ts';
import { type Quantity, quantity, unitSchema } from './quantity.ts';
import type { Resources } from './resources.ts';
import { type TenantCurrency, tenantOf, tenantQuery } from './tenant.ts';

export interface GrantView {
  units: number;
  final: boolean;
  validUntil?: string;
  reserved?: HeldView[];
  limits?: HeldView[];
}

/** What a bucket holds for a grant. */
interface HeldView {
  bucket: string;
  units: number;
  quantity: Quantity;
}

/** What the client is to be asked for. */
export interface AskingView {
  for: 'reauthorise' | 'abort';
  reason: string;
  ratingGroup?: number;
  serviceId?: number;
  pool?: number;
  attempts: number;
  acknowledged: boolean;
}

/** Of a message to recipients under several rules, those whom a service is for. */
interface RecipientsView {
  /** The first of them whose number is known; absent: none is. */
  called?: string;
  count: number;
  of: number;
}

export interface ServiceView {
  ratingGroup?: number;
  serviceIds: readonly number[];
  recipients?: RecipientsView;
  rule: string;
  plan?: string;
  planVersion: number;
  unit: Unit;
  used: number;
  cost: Quantity;
  granted?: GrantView;
}

export interface SessionView {
  sessionId: string;
  subSessionId?: string;
  tenant: string;
  account: string;
  subscriber: SubscriberId;
  client: { host: string; realm: string };
  context: string;
  state: SessionState;
  openedAt: string;
  changedAt: string;
  supervisedUntil: string;
  asking?: AskingView;
  services: ServiceView[];
}

const instant = (description: string) =>
  ({ type: 'string', format: 'date-time', description }) as const;

const held = (description: string) =>
  ({
    type: 'array',
    description,
    items: {
      type: 'object',
      required: ['bucket', 'units', 'quantity'],
      additionalProperties: false,
      properties: {
        bucket: { type: 'string' },
        units: { type: 'integer' },
        quantity: { $ref: 'Quantity#' },
      },
    },
  }) as const;

/** The path's part that names a session. */
export const sessionParams = {
  type: 'object',
  required: ['sessionId'],
  properties: {
    sessionId: {
      type: 'string',
      minLength: 1,
      maxLength: 4000,
      description: 'Session-Id, percent-encoded.',
    },
  },
} as const;

export const subSessionQuery = {
  type: 'object',
  additionalProperties: false,
  properties: {
    subSessionId: {
      type: 'string',
      pattern: '^[0-9]{1,20}$',
      description: 'Only this CC-Sub-Session-Id, where the client uses it.',
    },
  },
} as const;

export const sessionSchema = {
  $id: 'Session',
  description: 'A credit-control session (RFC 8506).',
  type: 'object',
  required: [
    ...['sessionId', 'tenant', 'account', 'subscriber', 'client', 'context', 'state', 'openedAt'],
    ...['changedAt', 'supervisedUntil', 'services'],
  ],
  additionalProperties: false,
  properties: {
    sessionId: { type: 'string', description: 'Session-Id (RFC 6733 8.8).' },
    subSessionId: { type: 'string', description: 'CC-Sub-Session-Id (RFC 8506 8.5), in decimal.' },
    tenant: { type: 'string' },
    account: { type: 'string' },
    subscriber: { $ref: 'Subscriber#' },
    client: {
      type: 'object',
      description: 'Origin-Host and Origin-Realm of who opened it.',
      required: ['host', 'realm'],
      additionalProperties: false,
      properties: { host: { type: 'string' }, realm: { type: 'string' } },
    },
    context: { type: 'string', description: 'Service-Context-Id (RFC 8506 8.42).' },
    state: {
      type: 'string',
      enum: ['open', 'ended', 'abandoned'] satisfies SessionState[],
      description: 'Ended by its client; abandoned: by supervision, an abort or an error.',
    },
    openedAt: instant('When it was opened.'),
    changedAt: instant('When it was last changed.'),
    supervisedUntil: instant('When supervision (Tcc) ends it, if its client is silent until then.'),
    asking: {
      type: 'object',
      description: 'What its client is still to be asked for (RFC 8506 5.5, RFC 6733 8.5).',
      required: ['for', 'reason', 'attempts', 'acknowledged'],
      additionalProperties: false,
      properties: {
        for: { type: 'string', enum: ['reauthorise', 'abort'] },
        reason: { type: 'string', enum: ['operator', 'top-up', 'plan', 'expiry'] },
        ratingGroup: { type: 'integer' },
        serviceId: { type: 'integer' },
        pool: { type: 'integer' },
        attempts: { type: 'integer', description: 'How often it was tried so far.' },
        acknowledged: { type: 'boolean', description: 'The client answered that it will.' },
      },
    },
    services: {
      type: 'array',
      items: {
        type: 'object',
        required: ['serviceIds', 'rule', 'planVersion', 'unit', 'used', 'cost'],
        additionalProperties: false,
        properties: {
          ratingGroup: { type: 'integer' },
          serviceIds: { type: 'array', items: { type: 'integer' } },
          recipients: {
            type: 'object',
            description:
              'Of a message to recipients under several rules: those whom this is for. Each rule ' +
              'has a service of its own.',
            required: ['count', 'of'],
            additionalProperties: false,
            properties: {
              called: { type: 'string', description: 'The first of them whose number is known.' },
              count: { type: 'integer' },
              of: { type: 'integer', description: 'How many recipients the message has.' },
            },
          },
          rule: { type: 'string', description: 'The rule of the plan that rates it.' },
          plan: {
            type: 'string',
            description: 'Absent: it was stored by a version of this program that did not say.',
          },
          planVersion: { type: 'integer' },
          unit: unitSchema,
          used: { type: 'integer', description: 'Units reported so far.' },
          cost: { $ref: 'Quantity#', description: 'Money debited under the present rule.' },
          granted: {
            type: 'object',
            description: 'What the client may use until it reports; absent: nothing.',
            required: ['units', 'final'],
            additionalProperties: false,
            properties: {
              units: { type: 'integer' },
              final: { type: 'boolean', description: 'Announced as the final units.' },
              validUntil: instant('When its validity runs out.'),
              reserved: held('What holds it, in the order in which it is drawn; not in lists.'),
              limits: held('What it holds of buckets that limit its subscriber; not in lists.'),
            },
          },
        },
      },
    },
  },
} as const;

/** A start time in ms and a name of equal length. */
const SESSION_PLACE = /^\d{1,16}:[\w-]{1,64}$/;

/** The most sub-sessions that an error names. */
const SUB_SESSIONS_NAMED = 20;

export function sessionRoutes(app: FastifyInstance, { store, tenants }: Resources): void {
  app.get<{ Querystring: PageQuery & { tenant?: string } }>(
    '/v1/sessions',
    {
      config: { access: 'tenant', problems: ['TENANT_UNKNOWN'] },
      schema: {
        summary: 'Open sessions of a tenant',
        description: 'In the order in which they were opened.',
        querystring: {
          type: 'object',
          additionalProperties: false,
          properties: { tenant: tenantQuery, ...pageQuery },
        },
        response: {
          200: {
            description: 'A page of sessions; it may be short although there is a next one.',
            type: 'object',
            required: ['sessions'],
            additionalProperties: false,
            properties: {
              sessions: { type: 'array', items: { $ref: 'Session#' } },
              next: nextSchema,
            },
          },
        },
      },
    },
    async ({ query, caller }) => {
      const { tenant, currency } = tenantOf(query.tenant, { caller, tenants });
      const list = { list: 'sessions', tenant, place: SESSION_PLACE };
      const { sessions, next } = await store.listSessions(tenant, pageOf(query, list));
      return {
        sessions: sessions.map(({ session }) => sessionView(session, { currency })),
        ...(next === undefined ? {} : { next: cursorOf(next, list) }),
      };
    },
  );

  app.get<{ Params: { sessionId: string }; Querystring: { subSessionId?: string } }>(
    '/v1/sessions/:sessionId',
    {
      config: { access: 'tenant', problems: ['SESSION_UNKNOWN', 'SUB_SESSION_NOT_NAMED'] },
      schema: {
        summary: 'A session',
        description: 'One that ended is found as long as late usage still counts for it.',
        params: sessionParams,
        querystring: subSessionQuery,
        response: { 200: { description: 'The session.', $ref: 'Session#' } },
      },
    },
    async ({ params, query, caller }) => {
      const named = { ...params, ...query };
      const sees = (tenant: string) => caller.sees(tenant) && tenants.get(tenant) !== undefined;
      const under: string[] = [];
      for await (const { session, account } of readNamed(store, named, sees)) {
        const { subSessionId } = session;
        if (subSessionId === query.subSessionId)
          return sessionView(session, { currency: tenants.get(session.account.tenant), account });
        if (under.push(String(subSessionId)) === SUB_SESSIONS_NAMED) break;
      }
      const { sessionId } = params;
      if (under.length === 0) throw new TollkeeperError('SESSION_UNKNOWN', { session: sessionId });
      const subSessions = under.join(', ');
      throw new TollkeeperError('SUB_SESSION_NOT_NAMED', { session: sessionId, subSessions });
    },
  );
}

/** A session in the form of its schema; with its account, also what holds its grants. */
export function sessionView(
  session: Session,
  of: { currency: TenantCurrency | undefined; account?: Account | undefined },
): SessionView {
  return {
    sessionId: session.sessionId,
    ...(session.subSessionId === undefined ? {} : { subSessionId: session.subSessionId }),
    tenant: session.account.tenant,
    account: session.account.account,
    subscriber: { kind: session.subscriber.kind, id: session.subscriber.id },
    client: { host: session.client.host, realm: session.client.realm },
    context: session.context,
    state: session.state,
    openedAt: iso(session.openedAt),
    changedAt: iso(session.changedAt),
    supervisedUntil: iso(session.superviseAt),
    ...(session.pending === undefined ? {} : { asking: askingView(session.pending) }),
    services: session.services.map((service) => serviceView(service, of)),
  };
}

function askingView({ kind, reason, scope, attempts, acknowledged }: Pending): AskingView {
  return { for: kind, reason, ...scope, attempts, acknowledged };
}

function serviceView(
  service: Service,
  of: { currency: TenantCurrency | undefined; account?: Account | undefined },
): ServiceView {
  const { ratingGroup, serviceIds, share, rule, plan, planVersion, unit, used, cost, grant } =
    service;
  return {
    ...(ratingGroup === undefined ? {} : { ratingGroup }),
    serviceIds,
    ...(share === undefined ? {} : { recipients: recipientsView(share) }),
    rule,
    ...(plan === undefined ? {} : { plan }),
    planVersion,
    unit,
    used,
    cost: quantity(cost, 'money', of.currency),
    ...(grant === undefined ? {} : { granted: grantView(grant, of) }),
  };
}

function recipientsView({ called, count, of }: Share): RecipientsView {
  return called === '' ? { count, of } : { called, count, of };
}

function grantView(
  { units, final, validUntil, parts, limits, switch: change }: Grant,
  { currency, account }: { currency: TenantCurrency | undefined; account?: Account | undefined },
): GrantView {
  const unitOf = (bucket: string) =>
    account?.definition.buckets.find(({ id }) => id === bucket)?.unit;
  const shown = ({ bucket, units, amount }: Part): HeldView => ({
    bucket,
    units,
    quantity: quantity(amount, unitOf(bucket), currency),
  });
  const reserved = [...parts, ...(change?.after?.parts ?? [])].map(shown);
  return {
    units,
    final,
    ...(validUntil === undefined ? {} : { validUntil: iso(validUntil) }),
    ...(account === undefined ? {} : { reserved }),
    ...(account === undefined || limits === undefined ? {} : { limits: limits.map(shown) }),
  };
}

const iso = (at: number): string => new Date(at).toISOString();

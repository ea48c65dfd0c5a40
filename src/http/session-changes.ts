/**
 * What may be wanted of a session: that its client re-authorises, or that it ends. Both are stored at
 * once and carried out by the workers (RFC 8506 5.5, RFC 6733 8.5).
 */
import type { FastifyInstance } from 'fastify';
import { askClient, endSession } from '../engine/reauthorise.ts';
import { onEach } from '../engine/sub-sessions.ts';
import { TollkeeperError } from '../errors.ts';
import { sessionParams, subSessionQuery } from './sessions.ts';
import { BODY_BYTES, type Writing } from './writing.ts';

/** How long it is tried to agree with the store. */
const ASKING_MS = 5_000;

interface OfSession {
  Params: { sessionId: string };
  Querystring: { subSessionId?: string };
}

const unsigned32 = (description: string) =>
  ({ type: 'integer', minimum: 0, maximum: 4_294_967_295, description }) as const;

const outcome = (values: readonly string[]) =>
  ({
    description: 'What becomes of it.',
    type: 'object',
    required: ['outcome'],
    additionalProperties: false,
    properties: {
      outcome: {
        type: 'string',
        enum: values,
        description:
          'asked: the client will be; pending: that was so already; ended: the session is over.',
      },
    },
  }) as const;

const config = {
  access: 'tenant',
  problems: ['SESSION_UNKNOWN', 'STORE_OUTCOME_UNKNOWN'],
} as const;

export function sessionChangeRoutes(app: FastifyInstance, { asking }: Writing): void {
  const within = (mayServe: (tenant: string) => boolean) => ({
    mayServe,
    deadline: performance.now() + ASKING_MS,
  });

  app.post<
    OfSession & { Body: { ratingGroup?: number; serviceId?: number; pool?: number } | undefined }
  >(
    '/v1/sessions/:sessionId/reauthorisation',
    {
      config,
      bodyLimit: BODY_BYTES.small,
      schema: {
        summary: 'Have the client of a session ask for credit again (RAR)',
        description: 'For the whole session, or for what is named.',
        params: sessionParams,
        querystring: subSessionQuery,
        body: {
          type: 'object',
          nullable: true,
          additionalProperties: false,
          properties: {
            ratingGroup: unsigned32('Only the services of this rating group.'),
            serviceId: unsigned32('Only this Service-Identifier.'),
            pool: unsigned32('Only this credit pool, which names its services itself.'),
          },
        },
        response: { 202: outcome(['asked', 'pending']) },
      },
    },
    async ({ params, query, body, caller }, reply) => {
      if (body?.pool !== undefined && Object.keys(body).length > 1)
        throw new TollkeeperError('REQUEST_INVALID', {
          problem: 'a pool names its services itself',
        });
      const wanted = { kind: 'reauthorise', scope: { ...body }, reason: 'operator' } as const;
      const on = within(caller.sees);
      const done = await onEach(
        asking,
        { ...params, ...query },
        {
          deadline: on.deadline,
          act: (key) => askClient(asking, key, { ...on, wanted }),
        },
      );
      reply.code(202);
      return { outcome: stored(done, params.sessionId) };
    },
  );

  app.post<OfSession & { Body: { now?: boolean } | undefined }>(
    '/v1/sessions/:sessionId/abort',
    {
      config,
      bodyLimit: BODY_BYTES.small,
      schema: {
        summary: 'Have the client of a session end it (ASR), or end it at once',
        description:
          'A client that does not answer, or refuses, loses its session; usage that it reports ' +
          'later is still charged.',
        params: sessionParams,
        querystring: subSessionQuery,
        body: {
          type: 'object',
          nullable: true,
          additionalProperties: false,
          properties: {
            now: { type: 'boolean', description: 'End it here, without asking the client.' },
          },
        },
        response: { 202: outcome(['asked', 'pending', 'ended']) },
      },
    },
    async ({ params, query, body, caller }, reply) => {
      const wanted = { kind: 'abort', scope: {}, reason: 'operator' } as const;
      const on = within(caller.sees);
      const named = { ...params, ...query };
      const done = await onEach<'ended' | 'asked' | 'pending' | 'unknown' | 'busy'>(asking, named, {
        deadline: on.deadline,
        act: (key) =>
          body?.now ? endSession(asking, key, on) : askClient(asking, key, { ...on, wanted }),
      });
      reply.code(202);
      return { outcome: stored(done, params.sessionId) };
    },
  );
}

/** The outcome, if it was stored. */
function stored<Outcome extends string>(
  outcome: Outcome | 'unknown' | 'busy',
  session: string,
): Exclude<Outcome, 'unknown' | 'busy'> {
  if (outcome === 'unknown') throw new TollkeeperError('SESSION_UNKNOWN', { session });
  if (outcome === 'busy')
    throw new TollkeeperError('STORE_OUTCOME_UNKNOWN', { reason: 'the time ran out' });
  return outcome as Exclude<Outcome, 'unknown' | 'busy'>;
}

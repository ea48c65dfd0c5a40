/** What requests that change something have in common: bodies, and conditions on what they change. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { AskOptions } from '../engine/reauthorise.ts';
import { TollkeeperError } from '../errors.ts';
import type { Configuration } from '../provisioning/configuration.ts';
import type { Provisioning } from '../provisioning/provisioning.ts';
import type { Store } from '../store/store.ts';

/** What the routes that change something are given. */
export interface Writing {
  store: Store;
  /** The configuration that holds now. */
  configuration(): Configuration;
  /** Takes a change of the configuration into this process at once. */
  refresh(): Promise<unknown>;
  /** Why workers cannot take a configuration that compiles, one sentence each. */
  problems(configuration: Provisioning): readonly string[];
  /** How long an Idempotency-Key is remembered, in ms. */
  keyTtlMs: number;
  /** How clients come to be asked something: to re-authorise, or to end a session. */
  asking: AskOptions;
}

/** The longest bodies, in octets. */
export const BODY_BYTES = { small: 16_384, account: 1_048_576, configuration: 8_388_608 } as const;

export const etagHeader = (what: string) => ({
  etag: { type: 'string', description: `Names this state of ${what}; fit for If-Match.` },
});

export const conditionHeaders = {
  'if-match': {
    type: 'string',
    maxLength: 100,
    description:
      'The ETag that it must still have, or * where it must be there; otherwise 412 and nothing ' +
      'is changed.',
  },
  'if-none-match': {
    type: 'string',
    enum: ['*'],
    description: 'It must not be there yet; otherwise 412 and nothing is changed.',
  },
} as const;

/** A part that is written as in a provisioning file. */
export const writtenBody = (what: string) =>
  ({
    type: 'object',
    description: `${what}, as in a provisioning file (provisioning.schema.json).`,
    additionalProperties: true,
  }) as const;

/** Takes JSON only: another type, such as a form of a foreign page could send, is refused. */
export function readBodies(app: FastifyInstance): void {
  app.addContentTypeParser('application/json', { parseAs: 'string' }, ({ method }, body, done) => {
    // Many clients name the type of a body that they do not send.
    if (method === 'DELETE' && body.length === 0) return done(null, undefined);
    try {
      const value: unknown = JSON.parse(String(body));
      done(null, value);
    } catch {
      done(new TollkeeperError('REQUEST_INVALID', { problem: 'the body is not JSON' }));
    }
  });
}

/** The tag that If-Match or If-None-Match asks for: '' stands for nothing there, '*' for anything. */
export function expectedTag({ headers }: FastifyRequest): string | undefined {
  if (headers['if-none-match'] !== undefined) return '';
  const match = headers['if-match'];
  if (match === undefined || match === '*') return match;
  const tag = /^"([^"]*)"$/.exec(match)?.[1];
  if (tag === undefined || tag === '')
    throw new TollkeeperError('REQUEST_INVALID', { problem: 'If-Match is not one strong ETag' });
  return tag;
}

/** The same for what has a version; of `*` nothing: ask `isForPresent`. */
export function expectedVersion(request: FastifyRequest): number | undefined {
  const tag = expectedTag(request);
  if (tag === undefined || tag === '*') return undefined;
  // What is no version of ours cannot be the present one.
  return tag === '' ? 0 : /^\d{1,15}$/.test(tag) ? Number(tag) : -1;
}

/** Whether the request is only for what is there (RFC 9110 13.1.1), whatever its state. */
export const isForPresent = ({ headers }: FastifyRequest): boolean => headers['if-match'] === '*';

export const etagOf = (tag: string | number): string => `"${tag}"`;

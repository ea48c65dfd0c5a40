/**
 * `/v1/tenants`, `/v1/plans`, `/v1/peers` and `/v1/routing`: the configuration, part by part. A PUT
 * puts its part in place, whole or not at all, and is in effect on all workers within a second.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { TollkeeperError } from '../errors.ts';
import {
  type EditOptions,
  type PartName,
  partOf,
  putPart,
  removePart,
  tagOf,
} from '../provisioning/edit-configuration.ts';
import { whenInEffect } from '../provisioning/in-effect.ts';
import { withOutcome } from '../provisioning/outcome.ts';
import { byTenant, type Tenants, tenantOf, tenantQuery } from './tenant.ts';
import {
  BODY_BYTES,
  conditionHeaders,
  etagHeader,
  etagOf,
  expectedTag,
  type Writing,
  writtenBody,
} from './writing.ts';

const idParam = (name: string) => ({
  type: 'object',
  required: [name],
  properties: { [name]: { type: 'string', minLength: 1, maxLength: 100 } },
});
const written = (description: string, what: string) => ({
  200: { ...writtenBody(what), description, headers: etagHeader(what) },
});
/** The header that tells on how many workers a change is in effect. */
const IN_EFFECT = 'tollkeeper-in-effect';
const inEffectHeader = {
  [IN_EFFECT]: {
    type: 'string',
    description:
      'Workers that have it, a slash, workers in all: `2/2`. A change is waited for up to 2 s; ' +
      'where some do not have it then, it is stored all the same. Absent: it could not be asked.',
  },
} as const;
const stored = (what: string) => {
  const headers = { ...etagHeader(what), ...inEffectHeader };
  return {
    200: { ...writtenBody(what), description: `${what}, as it is now.`, headers },
    201: { ...writtenBody(what), description: 'It was not there before.', headers },
  };
};
const gone = {
  204: { description: 'It is not there, or no more.', type: 'null', headers: inEffectHeader },
} as const;
const conditions = { type: 'object', properties: conditionHeaders } as const;
const REFUSALS = [
  ...(['CHANGE_REFUSED', 'STALE_CHANGE', 'CONFIGURATION_MISSING'] as const),
  'STORE_OUTCOME_UNKNOWN',
] as const;

export function configurationRoutes(
  app: FastifyInstance,
  { writing, tenants }: { writing: Writing; tenants: Tenants },
): void {
  const parts = new Parts(writing);

  app.get(
    '/v1/tenants',
    {
      config: { access: 'tenant' },
      schema: {
        summary: 'Tenants that the caller may see',
        response: {
          200: {
            description: 'In the order of the configuration.',
            type: 'object',
            required: ['tenants'],
            properties: { tenants: { type: 'array', items: writtenBody('A tenant') } },
          },
        },
      },
    },
    async ({ caller }) => ({
      tenants: writing
        .configuration()
        .written.tenants.filter(({ id }) => caller.sees(id))
        .map(({ id }) => partOf(writing.configuration().written, { part: 'tenant', tenant: id })),
    }),
  );

  app.get<{ Params: { tenant: string } }>(
    '/v1/tenants/:tenant',
    {
      config: { access: 'tenant', problems: ['TENANT_UNKNOWN'] },
      schema: {
        summary: 'A tenant',
        params: idParam('tenant'),
        response: written('The tenant without its plans.', 'A tenant'),
      },
    },
    async ({ params, caller }, reply) => {
      const { tenant } = tenantOf(params.tenant, { caller, tenants });
      return parts.show(reply, { part: 'tenant', tenant });
    },
  );

  app.put<{ Params: { tenant: string }; Body: object }>(
    '/v1/tenants/:tenant',
    {
      config: { access: 'all', problems: REFUSALS },
      bodyLimit: BODY_BYTES.configuration,
      schema: {
        summary: 'Put a tenant in place',
        description:
          'Its plans stay as they are; a new tenant is given its first ones in `plans`. Accounts ' +
          'are none of its members here. Currency and digits stay once it has accounts.',
        params: idParam('tenant'),
        headers: conditions,
        body: writtenBody('A tenant'),
        response: stored('A tenant'),
      },
    },
    async (request, reply) =>
      parts.put(request, reply, { part: 'tenant', tenant: request.params.tenant }),
  );

  app.delete<{ Params: { tenant: string } }>(
    '/v1/tenants/:tenant',
    {
      config: { access: 'all', problems: [...REFUSALS, 'TENANT_IN_USE'] },
      schema: {
        summary: 'Take a tenant out that has no accounts',
        params: idParam('tenant'),
        headers: conditions,
        response: gone,
      },
    },
    async (request, reply) =>
      parts.remove(request, reply, { part: 'tenant', tenant: request.params.tenant }),
  );

  app.get<{ Querystring: { tenant?: string } }>(
    '/v1/plans',
    {
      config: { access: 'tenant', problems: ['TENANT_UNKNOWN'] },
      schema: {
        summary: 'Plans of a tenant',
        querystring: byTenant,
        response: {
          200: {
            description: 'In the order of the configuration.',
            type: 'object',
            required: ['plans'],
            properties: { plans: { type: 'array', items: writtenBody('A plan') } },
          },
        },
      },
    },
    async ({ query, caller }) => {
      const { tenant } = tenantOf(query.tenant, { caller, tenants });
      const found = writing.configuration().written.tenants.find(({ id }) => id === tenant);
      return { plans: found?.plans ?? [] };
    },
  );

  app.get<{ Params: { plan: string }; Querystring: { tenant?: string; version?: number } }>(
    '/v1/plans/:plan',
    {
      config: {
        access: 'tenant',
        problems: ['TENANT_UNKNOWN', 'PLAN_UNKNOWN', 'PLAN_VERSION_UNKNOWN'],
      },
      schema: {
        summary: 'A plan, as it is or as it was',
        params: idParam('plan'),
        querystring: {
          ...byTenant,
          properties: {
            tenant: tenantQuery,
            version: {
              type: 'integer',
              minimum: 1,
              description:
                'One of its last versions, which records name. Default: the present one.',
            },
          },
        },
        response: written('The plan.', 'A plan'),
      },
    },
    async ({ params: { plan }, query, caller }, reply) => {
      const { tenant } = tenantOf(query.tenant, { caller, tenants });
      if (query.version === undefined) return parts.show(reply, { part: 'plan', tenant, plan });
      const text = await writing.store.planText(tenant, plan, query.version);
      if (text === undefined) {
        const { version } = query;
        if ((await writing.store.planVersions(tenant, plan)).length === 0)
          throw new TollkeeperError('PLAN_UNKNOWN', { tenant, plan });
        throw new TollkeeperError('PLAN_VERSION_UNKNOWN', { tenant, plan, version });
      }
      return (JSON.parse(text) as { plans: object[] }).plans[0];
    },
  );

  app.put<{ Params: { plan: string }; Querystring: { tenant?: string }; Body: object }>(
    '/v1/plans/:plan',
    {
      config: { access: 'tenant', problems: ['TENANT_UNKNOWN', ...REFUSALS] },
      bodyLimit: BODY_BYTES.configuration,
      schema: {
        summary: 'Put a plan in place',
        description:
          'One that rates otherwise than before gets a higher version. Sessions keep what their ' +
          'grants were decided on; new grants are decided on this. Refused where buckets or ' +
          'limits of accounts name a rule that it has no more: all accounts are looked through then.',
        params: idParam('plan'),
        querystring: byTenant,
        headers: conditions,
        body: writtenBody('A plan'),
        response: stored('A plan'),
      },
    },
    async (request, reply) => {
      const { tenant } = tenantOf(request.query.tenant, { caller: request.caller, tenants });
      return parts.put(request, reply, { part: 'plan', tenant, plan: request.params.plan });
    },
  );

  app.delete<{ Params: { plan: string }; Querystring: { tenant?: string } }>(
    '/v1/plans/:plan',
    {
      config: { access: 'tenant', problems: ['TENANT_UNKNOWN', ...REFUSALS] },
      schema: {
        summary: 'Take a plan out',
        description: 'Nothing new is rated for accounts that still have it.',
        params: idParam('plan'),
        querystring: byTenant,
        headers: conditions,
        response: gone,
      },
    },
    async (request, reply) => {
      const { tenant } = tenantOf(request.query.tenant, { caller: request.caller, tenants });
      return parts.remove(request, reply, { part: 'plan', tenant, plan: request.params.plan });
    },
  );

  for (const [part, what, description] of [
    ['peers', 'Who may connect', 'A peer that is known no more is told to leave (DPR).'],
    ['routing', 'Which tenant a request is for', 'Of sessions that are open nothing changes.'],
  ] as const) {
    app.get(
      `/v1/${part}`,
      {
        config: { access: 'all' },
        schema: { summary: what, response: written(`${what}.`, what) },
      },
      async (_request, reply) => parts.show(reply, { part }),
    );
    app.put<{ Body: object }>(
      `/v1/${part}`,
      {
        config: { access: 'all', problems: REFUSALS },
        bodyLimit: BODY_BYTES.configuration,
        schema: {
          summary: `${what}: put it in place as a whole`,
          description,
          headers: conditions,
          body: writtenBody(what),
          response: stored(what),
        },
      },
      async (request, reply) => parts.put(request, reply, { part }),
    );
  }
}

/** Shows and changes parts, with their tags. */
class Parts {
  readonly #writing: Writing;

  constructor(writing: Writing) {
    this.#writing = writing;
  }

  show(reply: FastifyReply, name: PartName): object {
    const { written } = this.#writing.configuration();
    const part = partOf(written, name);
    if (part === undefined && name.part === 'plan')
      throw new TollkeeperError('PLAN_UNKNOWN', { tenant: name.tenant, plan: name.plan });
    reply.header('etag', etagOf(tagOf(written, name)));
    return (part ?? {}) as object;
  }

  async put(request: FastifyRequest<{ Body: object }>, reply: FastifyReply, name: PartName) {
    const { store } = this.#writing;
    const value = request.body as object;
    const edited = await withOutcome(store, (watched) =>
      putPart(watched, name, value, this.#options(request)),
    );
    await this.#settle(request, reply);
    const { written } = edited.configuration;
    reply.code(edited.created ? 201 : 200).header('etag', etagOf(tagOf(written, name)));
    return partOf(written, name);
  }

  async remove(
    request: FastifyRequest,
    reply: FastifyReply,
    name: Extract<PartName, { part: 'tenant' | 'plan' }>,
  ) {
    await withOutcome(this.#writing.store, (watched) =>
      removePart(watched, name, this.#options(request)),
    );
    await this.#settle(request, reply);
    return reply.code(204).send();
  }

  /** Takes the change here, and waits for the workers to take it. */
  async #settle(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { store, refresh } = this.#writing;
    const [inEffect] = await Promise.all([whenInEffect(store), refresh()]);
    if (inEffect === undefined) return;
    const { workers, without } = inEffect;
    reply.header(IN_EFFECT, `${workers - without.length}/${workers}`);
    if (without.length > 0)
      request.log.warn({ without }, 'workers do not have the configuration yet');
  }

  #options(request: FastifyRequest): EditOptions {
    return { expected: expectedTag(request), problems: this.#writing.problems };
  }
}

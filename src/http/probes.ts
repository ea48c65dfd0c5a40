/** `/healthz`, `/readyz` and `/metrics`: for whoever runs the process. */
import type { FastifyInstance } from 'fastify';
import { TollkeeperError } from '../errors.ts';
import { METRICS_CONTENT_TYPE } from './metrics.ts';
import { problemOf, sendProblem } from './problem.ts';
import type { Resources } from './resources.ts';

export function probeRoutes(
  app: FastifyInstance,
  { readiness, metrics, version }: Resources,
): void {
  app.get(
    '/healthz',
    {
      config: { access: 'public' },
      schema: {
        summary: 'Whether the process lives',
        response: {
          200: {
            description: 'It does.',
            type: 'object',
            required: ['alive', 'version', 'uptimeSeconds'],
            additionalProperties: false,
            properties: {
              alive: { type: 'boolean', const: true },
              version: { type: 'string' },
              uptimeSeconds: { type: 'integer' },
            },
          },
        },
      },
    },
    async () => ({ alive: true, version, uptimeSeconds: Math.floor(process.uptime()) }),
  );

  app.get(
    '/readyz',
    {
      config: { access: 'public', problems: ['NOT_READY'] },
      schema: {
        summary: 'Whether Diameter requests are charged, and why not',
        response: {
          200: {
            description: 'They are.',
            type: 'object',
            required: ['ready'],
            additionalProperties: false,
            properties: {
              ready: { type: 'boolean', const: true },
              notes: {
                type: 'array',
                items: { type: 'string' },
                description:
                  'What is not as it should be, such as a configuration that is not in effect.',
              },
            },
          },
        },
      },
    },
    async (_request, reply) => {
      const { ready, reasons, notes = [] } = await readiness();
      if (ready) return { ready, ...(notes.length === 0 ? {} : { notes }) };
      const error = new TollkeeperError('NOT_READY', { reason: reasons.join('; ') });
      return sendProblem(reply, problemOf(error, { reasons }));
    },
  );

  app.get(
    '/metrics',
    {
      config: { access: 'all' },
      schema: {
        summary: 'Figures of all workers, in the text format of Prometheus',
        response: {
          200: {
            description: 'The figures.',
            content: { [METRICS_CONTENT_TYPE]: { schema: { type: 'string' } } },
          },
        },
      },
    },
    async (_request, reply) => reply.type(METRICS_CONTENT_TYPE).send(await metrics()),
  );
}

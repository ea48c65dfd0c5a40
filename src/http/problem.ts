/**
 * Errors as an HTTP client gets them: problem details of RFC 9457, always with a code of the table
 * of errors. What a client must not know (a defect's text) stays in the log.
 */
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { type ErrorCode, errors, TollkeeperError } from '../errors.ts';
import { StoreUnavailable } from '../store/store.ts';

export const PROBLEM_CONTENT_TYPE = 'application/problem+json';

/** RFC 9457 3.1; `code`, `todo`, `reasons` and `requestId` are our extension members (3.2). */
export interface ProblemDetails {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: ErrorCode;
  todo: string;
  /** With `NOT_READY` and `REQUEST_INVALID`: one sentence each. */
  reasons?: readonly string[];
  /** With `DEFECT`: what the log line of it is found by. */
  requestId?: string;
}

export const problemSchema = {
  $id: 'Problem',
  description: 'What went wrong (RFC 9457).',
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'code', 'todo'],
  additionalProperties: false,
  properties: {
    type: { type: 'string', format: 'uri', description: 'Names the kind of problem.' },
    title: { type: 'string', description: 'The same for every problem of this kind.' },
    status: { type: 'integer', description: 'The HTTP status.' },
    detail: { type: 'string', description: 'What happened this time.' },
    code: { type: 'string', enum: Object.keys(errors), description: 'For programs.' },
    todo: { type: 'string', description: 'What can be done about it.' },
    reasons: { type: 'array', items: { type: 'string' }, description: 'All that is wrong.' },
    requestId: { type: 'string', description: 'What the log line of a defect is found by.' },
  },
} as const;

export function problemOf(
  error: TollkeeperError,
  more: Pick<ProblemDetails, 'reasons' | 'requestId'> = {},
): ProblemDetails {
  return {
    type: `urn:tollkeeper:error:${error.code.toLowerCase().replaceAll('_', '-')}`,
    title: titleOf(error.code),
    status: error.status,
    detail: error.message,
    code: error.code,
    todo: error.todo,
    ...more,
  };
}

/** `SESSION_UNKNOWN` -> `Session unknown` */
export function titleOf(code: ErrorCode): string {
  const words = code.toLowerCase().replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export function sendProblem(reply: FastifyReply, problem: ProblemDetails): FastifyReply {
  // RFC 9110 11.6.1 and 10.2.3.
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer');
  if (problem.status === 503) reply.header('retry-after', '1');
  return reply
    .code(problem.status)
    .header('content-type', PROBLEM_CONTENT_TYPE)
    .serializer(JSON.stringify)
    .send(problem);
}

/** Whatever a route throws, and whatever the framework refuses. */
export function handleError(
  error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const problem = toProblem(error, request);
  if (problem.code === 'DEFECT') request.log.error({ err: error }, 'a request met a defect');
  return sendProblem(reply, problem);
}

export function handleUnknownRoute(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { method } = request;
  const path = request.url.split('?', 1)[0]!.slice(0, 200);
  return sendProblem(reply, problemOf(new TollkeeperError('ROUTE_UNKNOWN', { method, path })));
}

function toProblem(error: FastifyError, request: FastifyRequest): ProblemDetails {
  if (error instanceof TollkeeperError) return problemOf(error);
  if (error instanceof StoreUnavailable)
    return problemOf(
      new TollkeeperError('STORE_UNAVAILABLE', { reason: error.message }, { cause: error }),
    );
  if (error.validation !== undefined) {
    const reasons = error.validation.map(({ instancePath, message, params }) => {
      const member = instancePath.slice(1) || String(params.additionalProperty ?? '');
      return `${error.validationContext} ${member} ${message}`.replace(/\s+/g, ' ');
    });
    const invalid = new TollkeeperError('REQUEST_INVALID', { problem: reasons.join('; ') });
    return problemOf(invalid, { reasons });
  }
  if (error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500)
    return problemOf(new TollkeeperError('REQUEST_INVALID', { problem: error.message }));
  const { id } = request;
  const defect = new TollkeeperError('DEFECT', { reason: `request ${id}` }, { cause: error });
  return problemOf(defect, { requestId: id });
}

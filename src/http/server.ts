/**
 * The HTTP API. A request passes
 *
 *   bounds of size and time -> known host (without tokens) -> token -> validation -> route
 *
 * and whatever goes wrong becomes a problem of RFC 9457. What changes something needs a token that
 * may write.
 */
import type { AddressInfo, Socket } from 'node:net';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { isLoopback } from '../config.ts';
import { TollkeeperError } from '../errors.ts';
import type { Access } from './access.ts';
import { accountChangeRoutes } from './account-changes.ts';
import { accountRoutes, accountSchema } from './accounts.ts';
import { bookedSchema, bookingRoutes } from './bookings.ts';
import { bucketSchema } from './buckets.ts';
import { configurationRoutes } from './configuration.ts';
import { describeRoutes } from './openapi.ts';
import { probeRoutes } from './probes.ts';
import {
  handleError,
  handleUnknownRoute,
  PROBLEM_CONTENT_TYPE,
  problemOf,
  problemSchema,
  sendProblem,
} from './problem.ts';
import { quantitySchema } from './quantity.ts';
import type { Resources } from './resources.ts';
import { sessionChangeRoutes } from './session-changes.ts';
import { sessionRoutes, sessionSchema } from './sessions.ts';
import { subscriberSchema } from './subscriber.ts';
import { subscriberRoutes } from './subscribers.ts';
import { readBodies } from './writing.ts';

export interface HttpOptions extends Resources {
  access: Access;
  log: FastifyBaseLogger;
}

export interface HttpServer {
  /**
   * Listens; port 0 is any free one. Throws PORT_UNAVAILABLE, and SETTINGS_INVALID for an address
   * beyond loopback without tokens.
   */
  listen(at: { host: string; port: number }): Promise<{ host: string; port: number; url: string }>;
  /** Answers what was begun, then closes every connection. */
  close(): Promise<void>;
}

/** A request's head must have arrived by then, and so must the rest of it. */
const REQUEST_TIMEOUT_MS = 10_000;
/** A connection on which nothing moves, a reply that is not read included. */
const IDLE_TIMEOUT_MS = 60_000;
const KEEP_ALIVE_MS = 30_000;
const MAX_CONNECTIONS = 1_000;
const MAX_PATH_PARAMETER = 12_000;
const MAX_BODY_BYTES = 1_024;
/** Methods that change nothing. */
const READING: ReadonlySet<string> = new Set(['GET', 'HEAD']);

export function createHttpServer(options: HttpOptions): HttpServer {
  const { access, log } = options;
  const app = Fastify({
    loggerInstance: log,
    // One line a request is ours to write: the framework's shows the URL, and in it who is asked for.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: IDLE_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    return503OnClosing: false,
    routerOptions: { maxParamLength: MAX_PATH_PARAMETER },
    ajv: { customOptions: { removeAdditional: false, coerceTypes: true, allErrors: true } },
    frameworkErrors: (error, request, reply) => handleError(error, request, reply),
    clientErrorHandler: answerClientError,
  });
  app.server.headersTimeout = REQUEST_TIMEOUT_MS;
  app.server.maxConnections = MAX_CONNECTIONS;
  app.removeAllContentTypeParsers();
  readBodies(app);
  app.setErrorHandler(handleError);
  app.setNotFoundHandler(handleUnknownRoute);
  for (const schema of [problemSchema, quantitySchema, subscriberSchema]) app.addSchema(schema);
  for (const schema of [bucketSchema, accountSchema, sessionSchema]) app.addSchema(schema);
  app.addSchema(bookedSchema);

  guard(app, access);
  describeRoutes(app, { version: options.version, tokens: access.tokens });
  sessionRoutes(app, options);
  accountRoutes(app, options);
  const { writing, tenants } = options;
  if (writing !== undefined) {
    configurationRoutes(app, { writing, tenants });
    accountChangeRoutes(app, { writing, tenants });
    bookingRoutes(app, { writing, tenants });
    subscriberRoutes(app, { writing, tenants });
    sessionChangeRoutes(app, writing);
  }
  probeRoutes(app, options);

  return {
    async listen({ host, port }) {
      if (!access.tokens && !isLoopback(host)) {
        const problem = `  httpHost: ${host} is beyond loopback, and the HTTP API has no tokens`;
        throw new TollkeeperError('SETTINGS_INVALID', { problems: problem });
      }
      try {
        await app.listen({ host, port, listenTextResolver: (address) => `HTTP at ${address}` });
      } catch (error) {
        const { message: reason } = error as Error;
        const failed = { what: 'The HTTP API', host, port, reason };
        throw new TollkeeperError('PORT_UNAVAILABLE', failed, { cause: error });
      }
      const bound = app.server.address() as AddressInfo;
      const name = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address;
      return { host: bound.address, port: bound.port, url: `http://${name}:${bound.port}` };
    },
    close: () => app.close(),
  };
}

/** Who is calling, and whether they may: before anything of the request is looked at. */
function guard(app: FastifyInstance, access: Access): void {
  app.decorateRequest('caller');
  app.addHook('onRequest', async (request, reply) => {
    reply.headers({
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
    });
    // Without tokens a page in the operator's browser could point a name of its own at 127.0.0.1.
    if (!access.tokens && !isLoopback(request.hostname.replace(/^\[|\]$/g, ''))) {
      const problem = `the Host ${request.hostname} is not this machine`;
      return sendProblem(reply, problemOf(new TollkeeperError('REQUEST_INVALID', { problem })));
    }
    const needs = request.routeOptions.config.access ?? 'public';
    if (needs === 'public') return;
    const caller = access.callerOf(request.headers.authorization);
    if (caller === undefined)
      return sendProblem(reply, problemOf(new TollkeeperError('TOKEN_REQUIRED')));
    if (needs === 'all' && !caller.all)
      return sendProblem(reply, problemOf(new TollkeeperError('FORBIDDEN')));
    if (!caller.writes && !READING.has(request.method))
      return sendProblem(reply, problemOf(new TollkeeperError('WRITING_FORBIDDEN')));
    request.caller = caller;
  });
  app.addHook('onResponse', async (request, reply) => {
    request.log.debug(
      {
        method: request.method,
        route: request.routeOptions.url ?? 'none',
        status: reply.statusCode,
        caller: request.caller?.name,
        ms: Math.round(reply.elapsedTime),
      },
      'answered',
    );
  });
}

/** What is no HTTP, or too much of it, is told so and disconnected. */
function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const problem = problemOf(
    new TollkeeperError('REQUEST_INVALID', { problem: 'this is not HTTP that can be read' }),
  );
  const statuses: Readonly<Record<string, readonly [number, string]>> = {
    HPE_HEADER_OVERFLOW: [431, 'Request Header Fields Too Large'],
    ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout'],
  };
  const [status, phrase] = statuses[error.code ?? ''] ?? [400, 'Bad Request'];
  const body = JSON.stringify({ ...problem, status });
  socket.end(
    [
      `HTTP/1.1 ${status} ${phrase}`,
      `Content-Type: ${PROBLEM_CONTENT_TYPE}`,
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
  );
}

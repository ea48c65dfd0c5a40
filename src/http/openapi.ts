/**
 * The OpenAPI document (3.1, whose schemas are plain JSON Schema), made from the schemas of the
 * routes as they are registered: what is validated and what is documented cannot differ.
 */
import type { FastifyInstance, FastifySchema, RouteOptions } from 'fastify';
import { type ErrorCode, errors } from '../errors.ts';
import { PROBLEM_CONTENT_TYPE } from './problem.ts';

type Json = Record<string, unknown>;

/** What the routes of this API say of themselves; the framework leaves these members untyped. */
interface Described extends FastifySchema {
  params?: Json;
  querystring?: Json;
  headers?: Json;
  body?: Json;
  response?: Json;
}

/** Problems that any route may answer with, and those of routes that need a token. */
const ALWAYS: readonly ErrorCode[] = ['REQUEST_INVALID', 'DEFECT'];
const WITH_TOKEN: readonly ErrorCode[] = ['TOKEN_REQUIRED', 'STORE_UNAVAILABLE'];

/** Serves `/openapi.json`; to be called before any route is registered. */
export function describeRoutes(
  app: FastifyInstance,
  { version, tokens }: { version: string; tokens: boolean },
): void {
  const routes: RouteOptions[] = [];
  let text: string | undefined;
  app.addHook('onRoute', (route) => {
    if (route.method !== 'HEAD') routes.push(route);
  });
  app.get(
    '/openapi.json',
    {
      config: { access: 'public' },
      schema: {
        summary: 'This document',
        response: {
          200: {
            description: 'An OpenAPI 3.1 document.',
            type: 'object',
            additionalProperties: true,
          },
        },
      },
    },
    async (_request, reply) => {
      text ??= JSON.stringify(openApiDocument(routes, app.getSchemas(), { version, tokens }));
      return reply.type('application/json; charset=utf-8').serializer(String).send(text);
    },
  );
}

function openApiDocument(
  routes: readonly RouteOptions[],
  schemas: Readonly<Record<string, unknown>>,
  { version, tokens }: { version: string; tokens: boolean },
): Json {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Tollkeeper',
      version,
      description:
        'Sessions, accounts, configuration and the state of a charging engine. What changes ' +
        'something needs a token that may write, and may be repeated.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    paths: pathsOf(routes, tokens),
    components: {
      schemas: Object.fromEntries(
        Object.entries(schemas).map(([name, schema]) => {
          const { $id: _, ...rest } = resolved(schema) as Json;
          return [name, rest];
        }),
      ),
      ...(tokens ? { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } } : {}),
    },
  };
}

/** The operations of each path, by method. */
function pathsOf(routes: readonly RouteOptions[], tokens: boolean): Record<string, Json> {
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    const path = route.url.replaceAll(/:(\w+)/g, '{$1}');
    const method = String(route.method).toLowerCase();
    paths[path] = { ...paths[path], [method]: operation(route, tokens) };
  }
  return paths;
}

function operation({ url, method, schema = {}, config }: RouteOptions, tokens: boolean): Json {
  const { summary, description, params, querystring, headers, body, response } =
    schema as Described;
  const isPublic = config?.access === 'public';
  const codes = [
    ...ALWAYS,
    ...(isPublic ? [] : WITH_TOKEN.filter((code) => tokens || code !== 'TOKEN_REQUIRED')),
    ...(tokens && config?.access === 'all' ? (['FORBIDDEN'] as const) : []),
    ...(method === 'GET' ? [] : (['WRITING_FORBIDDEN'] as const)),
    ...(config?.problems ?? []),
  ];
  const name = url.replaceAll(/[^a-z0-9]+/gi, '_').replaceAll(/^_|_$/g, '');
  return {
    operationId: method === 'GET' ? name : `${String(method).toLowerCase()}_${name}`,
    summary,
    ...(description === undefined ? {} : { description }),
    ...(tokens ? { security: isPublic ? [] : [{ token: [] }] } : {}),
    parameters: [
      ...parameters('path', params),
      ...parameters('query', querystring),
      ...parameters('header', headers),
    ],
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: { 'application/json': { schema: resolved(body) } },
          },
        }),
    responses: {
      ...Object.fromEntries(Object.entries(response ?? {}).map(success)),
      ...problems(codes),
    },
  };
}

function parameters(place: 'path' | 'query' | 'header', schema: Json | undefined): Json[] {
  const required = (schema?.required ?? []) as readonly string[];
  return Object.entries((schema?.properties ?? {}) as Record<string, Json>).map(
    ([name, { description, ...rest }]) => ({
      name,
      in: place,
      required: place === 'path' || required.includes(name),
      ...(description === undefined ? {} : { description }),
      schema: resolved(rest),
    }),
  );
}

function success([status, schema]: [string, unknown]): [string, Json] {
  const { description, content, headers, ...rest } = schema as Json;
  if (rest.type === 'null') return [status, { description }];
  return [
    status,
    {
      description,
      ...(headers === undefined ? {} : { headers: headersOf(headers as Record<string, Json>) }),
      content: content ?? { 'application/json': { schema: resolved(rest) } },
    },
  ];
}

function headersOf(headers: Record<string, Json>): Json {
  return Object.fromEntries(
    Object.entries(headers).map(([name, { description, ...schema }]) => [
      name,
      { description, schema },
    ]),
  );
}

/** One response a status, with the codes that it may carry. */
function problems(codes: readonly ErrorCode[]): Record<string, Json> {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of codes) {
    const { status = 500 } = errors[code] as { status?: number };
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, of]) => [
      status,
      {
        description: of.map((code) => `\`${code}\`: ${errors[code].todo}`).join('\n'),
        content: { [PROBLEM_CONTENT_TYPE]: { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    ]),
  );
}

/** A schema with its references to shared schemas (`Account#`) as OpenAPI writes them. */
function resolved(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(resolved);
  if (typeof schema !== 'object' || schema === null) return schema;
  return Object.fromEntries(
    Object.entries(schema).map(([name, value]) =>
      name === '$ref' && typeof value === 'string'
        ? [name, `#/components/schemas/${value.replace(/#$/, '')}`]
        : [name, resolved(value)],
    ),
  );
}

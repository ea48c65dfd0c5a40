/** What the routes are given, and what each of them says about itself besides its schema. */
import type { ErrorCode } from '../errors.ts';
import type { Store } from '../store/store.ts';
import type { Caller } from './access.ts';
import type { Tenants } from './tenant.ts';
import type { Writing } from './writing.ts';

export interface Readiness {
  ready: boolean;
  /** Why not, one sentence each; shown to whoever asks, so without names of subscribers. */
  reasons: readonly string[];
  /** What is not as it should be although it is ready; shown to whoever asks, too. */
  notes?: readonly string[];
}

export interface Resources {
  /** Only read from. */
  store: Pick<
    Store,
    'load' | 'now' | 'bindingOf' | 'subSessionsOf' | 'listAccounts' | 'listSessions'
  >;
  tenants: Tenants;
  /** Absent: there is nothing that can be changed. */
  writing?: Writing;
  readiness(): Promise<Readiness> | Readiness;
  /** The text of `/metrics`; see `metricsText`. */
  metrics(): Promise<string>;
  version: string;
}

/**
 * Who may call a route, where tokens are needed at all: `public`: anybody; `tenant`: whoever has a
 * token, for what belongs to its tenants; `all`: tokens that see every tenant.
 */
export type RouteAccess = 'public' | 'tenant' | 'all';

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller;
  }
  /** As OpenAPI's operations have them. */
  interface FastifySchema {
    summary?: string;
    description?: string;
  }
  interface FastifyContextConfig {
    access?: RouteAccess;
    /** Problems of this route beside those that every route may have. */
    problems?: readonly ErrorCode[];
  }
}

/**
 * What the base protocol says of a request before the application sees it: RFC 6733 6.1.4 (is it for
 * us), 6.1.3 and 2.9 (which way did it come), 7.1.3 (protocol errors). Pure.
 *
 * A refusal with 3xxx ends here, because another server may still serve the request. Whatever else
 * is wrong with a Credit-Control-Request goes to the application together with the request: the usage
 * that it reports counts although the answer is an error (RFC 8506 7, table 6).
 */
import type { Decoded } from '../diameter/decode.ts';
import { type Failure, failure } from '../diameter/failure.ts';
import { isProtocolError, type resultCodes } from '../diameter/result-codes.ts';
import { canonical, type Identity, type OwnNames, ownNames } from './identity.ts';

/** What a request is measured against; made once. */
export interface Local {
  names: OwnNames;
  applications: readonly number[];
  /** Hosts, and realms with all their hosts, that no request may have passed. */
  forbiddenRoutes: ReadonlySet<string>;
}

export type Disposition =
  /** `failure` is what its answer must say although it is to be acted on. */
  | { to: 'application'; failure: Failure | undefined }
  /** It is answered at once. */
  | { to: 'peer'; failure: Failure };

type Routed = Extract<Decoded, { name: 'CCR' | 'STR' }>;

const SERVED: Disposition = { to: 'application', failure: undefined };

export function localOf(settings: {
  identity: Identity;
  applications: readonly number[];
  forbiddenRoutes: readonly string[];
}): Local {
  return {
    names: ownNames(settings.identity),
    applications: settings.applications,
    forbiddenRoutes: new Set(settings.forbiddenRoutes.map(canonical)),
  };
}

export function dispatch(request: Decoded, local: Local): Disposition {
  const { header, name } = request;
  if (header.error) return refuse('DIAMETER_INVALID_HDR_BITS', 'E flag in a request');
  if (header.version !== 1 && request.failure) return { to: 'peer', failure: request.failure };
  switch (header.code) {
    case CCR:
    case STR:
    case ACR:
      if (!local.applications.includes(header.applicationId)) {
        const text = `application ${header.applicationId}`;
        return refuse('DIAMETER_APPLICATION_UNSUPPORTED', text);
      }
  }
  // RAR and ASR go from servers to clients, so they are commands of nobody here.
  if (name !== 'CCR' && name !== 'STR') {
    return refuse('DIAMETER_COMMAND_UNSUPPORTED', `command ${header.code}`);
  }
  return (
    misdirected(request, local.names) ??
    badRoute(request, local) ??
    (request.failure ? flawed(request, request.failure) : SERVED)
  );
}

/** RFC 6733 6.1.4 and 7.1.3: whether the request is for somebody else. */
function misdirected({ message }: Routed, { hosts, realms }: OwnNames): Disposition | undefined {
  const host = message['Destination-Host'];
  const realm = message['Destination-Realm'];
  if (host !== undefined) {
    if (!hosts.has(canonical(host))) {
      return refuse('DIAMETER_UNABLE_TO_DELIVER', 'Destination-Host is another node');
    }
    if (realm === undefined) {
      return refuse('DIAMETER_UNABLE_TO_DELIVER', 'Destination-Host without Destination-Realm');
    }
    return undefined;
  }
  // Neither of them: Destination-Realm is required in both commands, so decoding failed by 5005.
  if (realm === undefined || realms.has(canonical(realm))) return undefined;
  return refuse('DIAMETER_REALM_NOT_SERVED', 'Destination-Realm is not served');
}

/** RFC 6733 6.1.3 and 2.9: whether the request came a way that it must not come. */
function badRoute(request: Routed, local: Local): Disposition | undefined {
  for (const hop of request.message['Route-Record'] ?? []) {
    const host = canonical(hop);
    if (local.names.hosts.has(host)) {
      return refuse('DIAMETER_LOOP_DETECTED', 'this node is in Route-Record');
    }
    if (isForbidden(host, local.forbiddenRoutes)) {
      const text = 'Route-Record names a host that requests may not pass';
      return flawed(request, failure('DIAMETER_AUTHORIZATION_REJECTED', text));
    }
  }
  return undefined;
}

/** Whether a host, or a realm that it belongs to, is in the set. */
function isForbidden(host: string, forbidden: ReadonlySet<string>): boolean {
  if (forbidden.size === 0) return false;
  for (let name = host; ; ) {
    if (forbidden.has(name)) return true;
    const dot = name.indexOf('.');
    if (dot < 0) return false;
    name = name.slice(dot + 1);
  }
}

/** A flawed CCR is still acted on; of any other request the answer is all that is left. */
function flawed(request: Routed, found: Failure): Disposition {
  const actedOn = request.name === 'CCR' && !isProtocolError(found.resultCode);
  return { to: actedOn ? 'application' : 'peer', failure: found };
}

function refuse(code: keyof typeof resultCodes, text: string): Disposition {
  return { to: 'peer', failure: failure(code, text) };
}

const ACR = 271;
const CCR = 272;
const STR = 275;

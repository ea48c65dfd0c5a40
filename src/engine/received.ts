/**
 * A Credit-Control-Request as the engine receives it: what it says of itself at once, and how it is
 * translated once its tenant is known. It holds one configuration from start to end.
 */
import type { EventRequest } from '../charging/event.ts';
import type { Request, SubscriberId } from '../charging/request.ts';
import type { CCR } from '../diameter/commands.ts';
import type { Failure } from '../diameter/failure.ts';
import type { Understood } from '../diameter/message.ts';
import type { Identified } from '../ro/identify.ts';
import type { Currency } from '../ro/money.ts';
import { type SessionRequest, toEvent, toRequest } from '../ro/request.ts';
import type { Incoming, IncomingEvent, Plans } from './charge.ts';

/** What the configuration says of one peer. */
export interface PeerOptions {
  /** `loose`: it gives one CC-Request-Number to different requests of a session. */
  numbering: 'strict' | 'loose';
  /** How it may be told of a tariff change within a grant; absent: not at all. */
  tariffChange?: 'single' | 'dual';
  /** Whose form final units have that say more than to terminate; absent: RFC 4006's. */
  finalUnits?: 'rfc4006' | 'rfc8506';
  /** The tenants it may serve; absent: all. */
  tenants?: readonly string[];
}

/** What a request says that may tell its tenant. */
export interface RoutingFacts {
  originHost: string;
  originRealm: string;
  destinationRealm: string | undefined;
  serviceContextId: string | undefined;
  /** Called-Station-Id. */
  apn: string | undefined;
  imsi: string | undefined;
  e164: string | undefined;
}

/** A configuration as a request sees it: one and the same from start to end. */
export interface RequestConfiguration extends Plans {
  tenantOf(facts: RoutingFacts): string | undefined;
  currencyOf(tenant: string): Currency | undefined;
}

/** Money that no tenant is known for: only answers without amounts are written with it. */
export const NO_CURRENCY: Currency = { code: 0, digits: 0 };

/** What a request is received with. */
export interface Receipt {
  ccr: Understood<CCR>;
  /** The data of its Service-Information: a slice of the frame. */
  information: Uint8Array | undefined;
  identified: Identified;
  /** What its answer must say, although its usage is charged. */
  flaw: Failure | undefined;
  /** Who sent it: the client, or an agent. */
  peer: { readonly originHost: string; readonly options: PeerOptions };
  configuration: RequestConfiguration;
}

export function received(receipt: Receipt): Incoming | IncomingEvent {
  const { identified } = receipt;
  return isOfSession(identified)
    ? new ReceivedRequest(receipt, identified)
    : new ReceivedEvent(receipt);
}

function isOfSession(identified: Identified): identified is SessionRequest {
  return identified.kind !== 'event';
}

/** Which session or event it is, of whom, and which tenant that may be. */
class Received {
  readonly sessionId: string;
  readonly subSessionId: string | undefined;
  readonly subscribers: readonly SubscriberId[];
  readonly tenant: string | undefined;
  readonly plans: Plans;
  protected readonly receipt: Receipt;

  constructor(receipt: Receipt) {
    const { identified, configuration } = receipt;
    const { sessionId, subSessionId, subscribers, client } = identified;
    this.sessionId = sessionId;
    this.subSessionId = subSessionId;
    this.subscribers = subscribers;
    this.plans = configuration;
    this.receipt = receipt;
    this.tenant = configuration.tenantOf({
      originHost: client.host,
      originRealm: client.realm,
      destinationRealm: identified.destinationRealm,
      serviceContextId: identified.context,
      apn: identified.apn,
      imsi: idOf(subscribers, 'imsi'),
      e164: idOf(subscribers, 'e164'),
    });
  }

  mayServe(tenant: string): boolean {
    return this.receipt.peer.options.tenants?.includes(tenant) ?? true;
  }
}

class ReceivedRequest extends Received implements Incoming {
  readonly kind: Request['kind'];
  readonly #identified: SessionRequest;

  constructor(receipt: Receipt, identified: SessionRequest) {
    super(receipt);
    this.kind = identified.kind;
    this.#identified = identified;
  }

  translate(tenant: string, now: number): Request {
    const { ccr, information, flaw, peer, configuration } = this.receipt;
    const { tariffChange = 'none', numbering } = peer.options;
    const request = toRequest(ccr, this.#identified, {
      currency: configuration.currencyOf(tenant) ?? NO_CURRENCY,
      now,
      information,
      refusal: flaw && { resultCode: flaw.resultCode },
      looseNumbering: numbering === 'loose',
      tariffChange,
    });
    const { host } = request.client;
    if (peer.originHost !== host && peer.originHost.toLowerCase() !== host.toLowerCase())
      request.via = peer.originHost;
    return request;
  }
}

class ReceivedEvent extends Received implements IncomingEvent {
  readonly kind = 'event';

  translate(tenant: string, now: number): EventRequest {
    const { ccr, information, identified, peer, configuration } = this.receipt;
    const currency = configuration.currencyOf(tenant) ?? NO_CURRENCY;
    const event = toEvent(ccr, identified, { currency, now, information });
    if (event === undefined) throw new Error('an event does not say what is to be done');
    if (peer.options.numbering === 'loose') event.looseNumbering = true;
    return event;
  }
}

function idOf(
  subscribers: readonly SubscriberId[],
  wanted: SubscriberId['kind'],
): string | undefined {
  for (const { kind, id } of subscribers) if (kind === wanted) return id;
  return undefined;
}

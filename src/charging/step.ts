/**
 * The product: how a charging session moves. `step` takes a request and what the store holds, and
 * says what is to be stored and answered. It is pure: time is an argument, nothing is awaited, and
 * the same input always gives the same decision (RFC 8506 7, table 6). Timers that come due and
 * aborts, to which there is no answer, are decided in `timer.ts` by the same moves.
 */
import { type Answer, faultOf } from './answer.ts';
import { turnPeriods } from './buckets.ts';
import type { Decision, Known } from './decision.ts';
import { digestOfInformation } from './description.ts';
import { Draft } from './draft.ts';
import { precedentOf, remember } from './duplicates.ts';
import { factsAtOf, mergeFacts, newerFacts } from './facts.ts';
import { knowsContext } from './match.ts';
import { reauthoriseAtOf, stillPending, withoutPending } from './pending.ts';
import type { Plan } from './plan.ts';
import type { Facts, Request } from './request.ts';
import { answerWith, plainly, recordOf, serveRequest } from './served-request.ts';
import type { Served } from './service.ts';
import type { Service, Session } from './session.ts';
import { lapse } from './tariff-change.ts';
import { dueAt, supervisionMs, type Timed, wakeAt } from './timer.ts';

/** A timer that has less than this to go counts as due, and is written again by every commit. */
const ARM_MARGIN_MS = 1_000;

/** The first wake-up of a session comes this early, to keep its binding alive. */
export const FIRST_WAKE_MS = 540_000;

/** Decides a credit-control request. */
export function step(request: Request, known: Known): Decision {
  const { session } = known;
  if (session === undefined) {
    return request.kind === 'initial'
      ? open(request, known)
      : { kind: 'answer', answer: plainly('unknown-session', request) }; // table 6: Idle
  }
  const precedent = precedentOf(session, request);
  if (precedent.kind === 'duplicate') return { kind: 'answer', answer: precedent.answer };
  if (precedent.kind === 'contradiction')
    return {
      kind: 'answer',
      answer: plainly('contradiction', request),
      alarm: 'number-reused',
    };
  // A Session-Id is unique for ever: a second initial is no session of its own (RFC 6733 8.8).
  if (request.kind === 'initial')
    return { kind: 'answer', answer: plainly('contradiction', request) };
  if (session.state !== 'open') return late(request, session, known);
  if (request.refusal !== undefined) return close(request, session, known, 'abandoned');
  if (request.kind === 'termination') return close(request, session, known, 'ended');
  return update(request, session, known);
}

/** Table 6, Idle: an initial request is served, or refused without a trace. */
function open(request: Request, known: Known): Decision {
  const { account, plan, now, fresh } = known;
  const refused = refuseInitial(request, known);
  if (refused !== undefined) {
    if (!fresh) return { kind: 'reread' };
    return { kind: 'answer', answer: plainly(refused, request, faultOf(refused)) };
  }
  if (request.refusal !== undefined || request.subscriber === undefined)
    return { kind: 'answer', answer: plainly('refused', request) };
  const draft = new Draft(account, request.subscriber);
  draft.countSession(1);
  turnPeriods(draft, now);
  const facts = mergeFacts(plan, undefined, request.facts);
  const served = serveRequest(request, [], { draft, known, facts, ending: false });
  if (served.refuses && !fresh) return { kind: 'reread' };
  const { outcome: denied = 'success', fault } = served.answers[0] ?? {};
  // At command level there is but one service: its refusal is the session's (table 6, Idle).
  if (request.level === 'command' && denied !== 'success')
    return fresh ? { kind: 'answer', answer: plainly(denied, request, fault) } : { kind: 'reread' };
  const answer = answerWith(request, served, { draft, known, ending: false });
  if (answer === undefined) return { kind: 'reread' };
  const superviseAt = now + supervisionMs(served.services, now, plan);
  const reauthoriseAt = reauthoriseAtOf(served.services, known);
  const timers: Timed = { superviseAt, services: served.services };
  if (reauthoriseAt !== undefined) timers.reauthoriseAt = reauthoriseAt;
  const wake = wakeAt(timers, plan, now);
  const armedAt = Math.min(wake, now + FIRST_WAKE_MS);
  const described = digestOfInformation(request);
  const session: Session = {
    sessionId: request.sessionId,
    ...(request.subSessionId === undefined ? {} : { subSessionId: request.subSessionId }),
    account: { tenant: account.definition.tenant, account: account.definition.account },
    subscriber: request.subscriber,
    client: request.client,
    ...(request.via === undefined ? {} : { via: request.via }),
    context: request.context,
    state: 'open',
    openedAt: now,
    changedAt: now,
    ...timers,
    armedAt,
    ...(facts === undefined ? {} : said(request, facts, { now })),
    ...(described === undefined ? {} : { described }),
    ...remember({ answers: [], seen: [] }, request, {
      answer,
      now,
      window: known.settings.answerWindow,
    }),
  };
  const kind = 'initial';
  const record = recordOf(request, { session, kind, now, answer, draft, served, described });
  return {
    kind: 'change',
    answer,
    session,
    index: 'open',
    timer: armedAt,
    movements: draft.movements(),
    record,
  };
}

function refuseInitial(
  request: Request,
  { account, plan }: Known,
): 'service-denied' | 'resources-exceeded' | 'rating-failed' | 'uncontrolled' | undefined {
  if (request.refusal !== undefined) return undefined;
  if (account.definition.status !== 'active') return 'service-denied';
  if ((account.counters['n:open'] ?? 0) >= account.definition.maxSessions)
    return 'resources-exceeded';
  if (!knowsContext(plan, request.context)) return 'rating-failed'; // RFC 8506 4.1.3
  return controlsNothing(plan) ? 'uncontrolled' : undefined;
}

/** RFC 8506 9.1: whoever has such a plan is served without credit control, and no session is kept. */
function controlsNothing({ rules }: Plan): boolean {
  return rules.length > 0 && rules.every(({ uncontrolled }) => uncontrolled === true);
}

/** Table 6, Open: usage is debited, quota is reserved anew, supervision starts again. */
function update(sent: Request, session: Session, known: Known): Decision {
  const request = askingAgain(sent, session);
  const { plan, now, settings } = known;
  const draft = new Draft(known.account, session.subscriber);
  turnPeriods(draft, now);
  const facts = mergeFacts(plan, session.facts, request.facts);
  const newer = facts === undefined ? undefined : newerFacts(plan, session, request);
  const served = serveRequest(request, session.services, {
    ...{ draft, known, facts, newer, ending: false },
  });
  if (served.refuses && !known.fresh) return { kind: 'reread' };
  const { outcome: denied = 'success', fault } = served.answers[0] ?? {};
  if (request.level === 'command' && denied !== 'success') {
    // RFC 8506 9.1: without control the service goes on, and the session is over.
    const state = denied === 'uncontrolled' ? 'ended' : 'abandoned';
    return closed(sent, session, known, {
      ...{ draft, state, served },
      answer: () => plainly(denied, request, fault),
    });
  }
  const answer = answerWith(request, served, { draft, known, ending: false });
  if (answer === undefined) return { kind: 'reread' };
  const superviseAt = now + supervisionMs(served.services, now, plan);
  const reauthoriseAt = reauthoriseAtOf(served.services, known);
  const pending = stillPending(session.pending, request.services, session.services);
  const timers: Timed = { superviseAt, services: served.services };
  if (reauthoriseAt !== undefined) timers.reauthoriseAt = reauthoriseAt;
  if (pending !== undefined) timers.pending = pending;
  const keep = now + ARM_MARGIN_MS < session.armedAt && session.armedAt <= dueAt(timers, plan);
  const armedAt = keep ? session.armedAt : wakeAt(timers, plan, now);
  const { answers, seen } = remember(session, sent, { answer, now, window: settings.answerWindow });
  const { services } = served;
  const next: Session = {
    ...lasting(session),
    superviseAt,
    services,
    changedAt: now,
    armedAt,
    answers,
    seen,
  };
  if (reauthoriseAt !== undefined) next.reauthoriseAt = reauthoriseAt;
  if (pending !== undefined) next.pending = pending;
  const described = digestOfInformation(request);
  if (described !== undefined) next.described = described;
  if (request.via !== undefined) next.via = request.via;
  if (facts !== undefined)
    Object.assign(next, said(request, newer ?? facts, { factsAt: session.factsAt, now }));
  const kind = 'update';
  const record = recordOf(request, { session, kind, now, answer, draft, served, described });
  return {
    kind: 'change',
    answer,
    session: next,
    index: 'keep',
    timer: keep ? 'keep' : armedAt,
    movements: draft.movements(),
    record,
  };
}

/**
 * RFC 8506 5.6.2: a client that is restricted asks without a word of units. At command level that is
 * a request that names nothing at all: it is for the session's only service.
 */
function askingAgain(request: Request, { services, answers }: Session): Request {
  const [only] = services;
  if (request.services.length > 0 || services.length !== 1 || only?.exhausted !== 'restricted')
    return request;
  if (answers.at(-1)?.answer.level !== 'command') return request;
  return { ...request, level: 'command', services: [{ serviceIds: only.serviceIds }] };
}

/** Table 6, Open -> Idle: usage is debited, whatever is still reserved is released. */
function close(
  request: Request,
  session: Session,
  known: Known,
  state: 'ended' | 'abandoned',
): Decision {
  const draft = new Draft(known.account, session.subscriber);
  turnPeriods(draft, known.now);
  const facts = mergeFacts(known.plan, session.facts, request.facts);
  const served = serveRequest(request, session.services, { draft, known, facts, ending: true });
  const [only] = request.level === 'command' ? served.answers : [];
  const { outcome: failed = 'success', fault } = only ?? {};
  return closed(request, session, known, {
    ...{ draft, state, served },
    answer(services) {
      if (request.refusal !== undefined) return plainly('refused', request);
      if (failed !== 'success') return plainly(failed, request, fault);
      return answerWith(request, { ...served, services }, { draft, known, ending: true });
    },
  });
}

function closed(
  request: Request,
  session: Session,
  { now, settings }: Known,
  end: {
    draft: Draft;
    state: 'ended' | 'abandoned';
    served: Served;
    /** Once everything is released; undefined: it may not be decided on a hint. */
    answer(services: readonly Service[]): Answer | undefined;
  },
): Decision {
  const { draft, state, served } = end;
  const kind = request.kind === 'termination' ? 'termination' : 'update';
  const isOver = state === 'ended';
  const services = served.services.map((service) => lapse(draft, service, { now, isOver }));
  draft.countSession(-1);
  const answer = end.answer(services);
  if (answer === undefined) return { kind: 'reread' };
  const described = digestOfInformation(request);
  const record = recordOf(request, { session, kind, now, answer, draft, served, described });
  return {
    kind: 'change',
    answer,
    session: {
      ...withoutPending(session),
      state,
      changedAt: now,
      services,
      ...(described === undefined ? {} : { described }),
      ...remember(session, request, { answer, now, window: settings.answerWindow }),
    },
    index: 'close',
    timer: 'remove',
    ttlMs: state === 'ended' ? settings.endedMs : settings.abandonedMs,
    movements: draft.movements(),
    record,
  };
}

/** What of a session goes on as it is, whatever an update says. */
function lasting(session: Session): Session {
  const { via, facts, pending, reauthoriseAt } = session;
  const isPlain = pending === undefined && reauthoriseAt === undefined;
  if (isPlain && via === undefined && facts === undefined) return session;
  const { via: _via, facts: _facts, factsAt: _at, ...rest } = withoutPending(session);
  return rest;
}

/** What is known of a session's use once a request was served. */
function said(
  request: Request,
  facts: Facts,
  { factsAt, now }: { factsAt?: number | undefined; now: number },
): Pick<Session, 'facts' | 'factsAt'> {
  const at = factsAtOf(request, { factsAt, now });
  return at === undefined ? { facts } : { facts, factsAt: at };
}

/** Usage that comes after the session ended is debited; the session stays ended (5002). */
function late(request: Request, session: Session, known: Known): Decision {
  const answer =
    request.refusal === undefined
      ? plainly('unknown-session', request)
      : plainly('refused', request);
  if (!request.services.some((service) => service.used !== undefined))
    return { kind: 'answer', answer };
  const draft = new Draft(known.account, session.subscriber);
  turnPeriods(draft, known.now);
  const { now, settings } = known;
  const facts = mergeFacts(known.plan, session.facts, request.facts);
  const served = serveRequest(request, session.services, { draft, known, facts, ending: true });
  const described = digestOfInformation(request);
  const kind = 'late-usage';
  const record = recordOf(request, { session, kind, now, answer, draft, served, described });
  return {
    kind: 'change',
    answer,
    session: {
      ...session,
      changedAt: now,
      services: served.services,
      ...(described === undefined ? {} : { described }),
      ...remember(session, request, { answer, now, window: settings.answerWindow }),
    },
    index: 'keep',
    timer: 'keep',
    ttlMs: 'keep',
    movements: draft.movements(),
    record,
  };
}

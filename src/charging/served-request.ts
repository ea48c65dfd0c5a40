/** What a request of a session is served, answered and recorded with, whatever becomes of the session. */
import type { Answer, Fault, Outcome } from './answer.ts';
import type { Known } from './decision.ts';
import { describe } from './description.ts';
import type { Draft } from './draft.ts';
import { withNotices } from './notices.ts';
import { Sharing } from './pool.ts';
import { serveEach } from './recipients.ts';
import type { ChargingRecord, RecordKind } from './record.ts';
import type { Facts, Request } from './request.ts';
import type { Served } from './service.ts';
import type { Serving } from './serving.ts';
import type { Service, Session } from './session.ts';

/** Serves what a request asks of a session's services. */
export function serveRequest(
  request: Request,
  before: readonly Service[],
  {
    draft,
    known,
    facts,
    newer,
    ending,
  }: {
    draft: Draft;
    known: Known;
    facts: Facts | undefined;
    newer?: Facts | undefined;
    ending: boolean;
  },
): Served {
  const { account, plan, now, reserving, lastOnly = false } = known;
  const { kind, context, occurredAt = now, level, tariffChange } = request;
  const serving: Serving = {
    draft,
    sharing: new Sharing(draft, plan, now),
    plan,
    level,
    kind,
    context,
    facts,
    newer,
    now,
    reserving,
    lastOnly,
    ending,
    at: Math.min(occurredAt, now),
    // Two quotas for one service need services to be told apart in (RFC 8506 5.1.2).
    tariffChange: level === 'command' && tariffChange === 'dual' ? 'single' : tariffChange,
    blocked: account.definition.status !== 'active',
  };
  return serveEach(serving, request.services, before);
}

/** The answer to a request that was served. Undefined: it may not be said on a hint. */
export function answerWith(
  { level }: Request,
  { services, answers }: Served,
  { draft, known, ending }: { draft: Draft; known: Known; ending: boolean },
): Answer | undefined {
  const { plan, now, fresh } = known;
  const answer: Answer = { outcome: 'success', level, services: answers };
  return withNotices(answer, { plan, draft, services, now, fresh, ending });
}

/** An answer at command level only. */
export function plainly(outcome: Outcome, request: Request, fault?: Fault): Answer {
  const resultCode = outcome === 'refused' ? request.refusal?.resultCode : undefined;
  return {
    outcome,
    ...(fault === undefined ? {} : { fault }),
    ...(resultCode === undefined ? {} : { resultCode }),
    level: request.level,
    services: [],
  };
}

/** The record of a request; `described`: the digest of its information. */
export function recordOf(
  request: Request,
  of: {
    session: Session;
    kind: RecordKind;
    now: number;
    answer: Answer;
    draft: Draft;
    served: Served;
    described: number | undefined;
  },
): ChargingRecord {
  const { session, kind, now, answer, draft, served, described } = of;
  const { subSessionId, terminationCause } = request;
  const record: ChargingRecord = {
    kind,
    at: now,
    account: session.account,
    sessionId: session.sessionId,
    requestNumber: request.number,
    subscriber: session.subscriber,
    client: request.client.host,
    context: request.context,
    outcome: answer.outcome,
    services: served.recorded,
    changes: draft.changes(),
  };
  if (subSessionId !== undefined) record.subSessionId = subSessionId;
  if (terminationCause !== undefined) record.terminationCause = terminationCause;
  describe(record, request, { before: kind === 'initial' ? undefined : session, described });
  return record;
}

/**
 * Rows that Tollkeeper does not follow, or not itself, and why. A row stands here or has a test.
 */
export const deviations: Readonly<Record<string, string>> = {
  'B-033':
    'Base accounting is not offered: a credit-control server advertises application 4 only and ' +
    'answers an ACR with 3007.',
  'B-095':
    'There is no election: connections are accepted and never started, so both sides cannot ' +
    'connect at once.',
  'B-107':
    'Nagle is off (TCP_NODELAY): answers of one turn are written together, which serves the purpose ' +
    'without its delay.',
  'B-108': 'No SCTP: Node.js has none. TCP only.',
  'B-113': 'Connections are never started from here, so none is started again after a DPR.',
  'B-131': 'Redirection is optional and not offered: every worker serves every request.',
  'B-165':
    'A higher Origin-State-Id ends nothing: behind an agent it would end the sessions of others. ' +
    'Supervision (Tcc) closes what a restarted client forgot.',
};

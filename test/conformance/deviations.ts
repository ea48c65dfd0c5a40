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
  'C-163':
    'A rule counts one unit, so a service has one reference to its pool. Units granted beside are ' +
    'free of charge and belong to none.',
  'C-191':
    'What a client does then is its own; a plan tells CONTINUE or RETRY_AND_TERMINATE by ' +
    '`failureHandling`, and tells nothing by default.',
  'C-195':
    'A request that is older than its deadline gets 3004 and not its answer; sent again it gets the ' +
    'stored one.',
  'C-211':
    'Identities that belong to two subscribers are not told from several of one: the first that is ' +
    'known decides, in the order in which they were sent. To check them all would cost each session ' +
    'as many reads.',
  'C-212':
    'A Subscription-Id-Extension with several members is not refused: each of them is an identity of ' +
    'the subscriber.',
  'C-217': 'Accepted and not echoed: nothing here correlates by it.',
  'C-230':
    'Peers are admitted by name; TLS is not offered yet, so they must be kept apart from ' +
    'others by the network. Which tenants a peer may serve is checked.',
  'G-049': 'Optional, and nothing here has anything to furnish to the CDRs of a gateway.',
  'G-050':
    'The timer is not told: it is for the whole session, and its services have holding times. A ' +
    'report for its reason is handled like one for QHT.',
  'G-122': 'Advice of charge is optional and not offered; see G-121.',
  'G-124': 'Announcements are optional and not offered.',
};

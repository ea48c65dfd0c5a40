/** `tollkeeper session show`: a session, its services and what holds their grants. */
import { readNamed } from '../engine/sub-sessions.ts';
import { TollkeeperError } from '../errors.ts';
import {
  type AskingView,
  type ServiceView,
  type SessionView,
  sessionView,
} from '../http/sessions.ts';
import type { TenantCurrency } from '../http/tenant.ts';
import { sessionTag } from '../log.ts';
import { subSessionFlag } from './asking.ts';
import { instant, printable, table } from './columns.ts';
import { defineCommand } from './command.ts';
import { readCurrencies, shownQuantity } from './currencies.ts';
import { storeSettings, withStore } from './open-store.ts';

export const command = defineCommand({
  name: 'session show',
  summary: 'Show a session, its services and grants',
  usage: 'SESSION-ID',
  details:
    'A session that ended is found as long as late usage still counts for it. The log names ' +
    'sessions by a tag, because a Session-Id may contain a subscriber number. Where the client opened ' +
    'sub-sessions, each of them is shown.',
  examples: ["session show 'pgw1.epc.example;1876543210;523;1'"],
  flags: {
    subSession: subSessionFlag,
  },
  settings: [...storeSettings, 'provisioningFile'],
  async run(call) {
    const tenants = await readCurrencies(call);
    const sessionId = call.operands[0]!;
    const named = { sessionId, subSessionId: call.flags.subSession };
    let shown = 0;
    await withStore(call.settings, async (store) => {
      for await (const { key, session, account } of readNamed(store, named)) {
        const currency = tenants.get(session.account.tenant);
        const view = sessionView(session, { currency, account });
        const text = sessionText(view, { currency, tag: sessionTag(key) });
        call.result(view, () => (shown === 0 ? text : `\n${text}`));
        shown++;
      }
    });
    if (shown === 0) throw new TollkeeperError('SESSION_UNKNOWN', { session: sessionId });
  },
});

function sessionText(
  view: SessionView,
  { currency, tag }: { currency: TenantCurrency | undefined; tag: string },
): string {
  const { subSessionId, subscriber, client } = view;
  const sub = subSessionId === undefined ? '' : `, sub-session ${subSessionId}`;
  const facts: (readonly [string, string])[] = [
    ['session', `${view.sessionId}${sub}`],
    ['in the log', tag],
    ['state', view.state],
    ['account', `${view.account} of ${view.tenant}`],
    ['subscriber', `${subscriber.kind} ${subscriber.id}`],
    ['client', `${client.host}, ${client.realm}`],
    ['context', view.context],
    ['opened', instant(view.openedAt)],
    ['changed', instant(view.changedAt)],
    ['supervised', `until ${instant(view.supervisedUntil)}`],
    ...(view.asking === undefined ? [] : [['asking', askingText(view.asking)] as const]),
  ];
  const services = table(view.services, [
    { head: 'rating group', right: true, cell: ({ ratingGroup }) => String(ratingGroup ?? '-') },
    { head: 'services', cell: ({ serviceIds }) => serviceIds.join(',') || '-' },
    ...(view.services.some(({ recipients }) => recipients !== undefined)
      ? [{ head: 'recipients', cell: recipientsText }]
      : []),
    { head: 'rule', cell: ruleText },
    { head: 'used', right: true, cell: ({ used, unit }) => shownQuantity(used, unit, currency) },
    {
      head: 'cost',
      right: true,
      cell: ({ cost }) => shownQuantity(cost.smallest, 'money', currency),
    },
    { head: 'granted', right: true, cell: (service) => granted(service, currency) },
    { head: 'held by', cell: held },
  ]);
  return [
    ...facts.map(([name, text]) => `${name.padEnd(10)}  ${printable(text)}`),
    '',
    services,
  ].join('\n');
}

function askingText({ for: what, reason, attempts, acknowledged, ...scope }: AskingView): string {
  const { ratingGroup, serviceId, pool } = scope;
  const of = [
    ...(ratingGroup === undefined ? [] : [`rating group ${ratingGroup}`]),
    ...(serviceId === undefined ? [] : [`service ${serviceId}`]),
    ...(pool === undefined ? [] : [`pool ${pool}`]),
  ];
  const wish = what === 'abort' ? 'to end it' : ['to re-authorise', ...of].join(' ');
  return `${wish} (${reason}), ${acknowledged ? 'agreed' : `tried ${attempts} times`}`;
}

function recipientsText({ recipients }: ServiceView): string {
  if (recipients === undefined) return '-';
  const { called, count, of } = recipients;
  return `${count} of ${of}${called === undefined ? '' : ` (${called}${count > 1 ? ' ...' : ''})`}`;
}

function ruleText({ rule, plan, planVersion }: ServiceView): string {
  return `${rule} (plan ${plan === undefined ? '' : `${plan} `}version ${planVersion})`;
}

function granted({ granted, unit }: ServiceView, currency: TenantCurrency | undefined): string {
  if (granted === undefined) return '-';
  const until = granted.validUntil === undefined ? '' : ` until ${instant(granted.validUntil)}`;
  const units = shownQuantity(granted.units, unit, currency);
  return `${units}${granted.final ? ', final' : ''}${until}`;
}

function held({ granted }: ServiceView): string {
  const parts = granted?.reserved ?? [];
  const limits = granted?.limits ?? [];
  const text = ({ bucket, quantity }: (typeof parts)[number]): string =>
    `${bucket} ${shownPart(quantity)}`;
  return [...parts.map(text), ...limits.map((one) => `limit ${text(one)}`)].join(', ') || '-';
}

function shownPart({
  smallest,
  amount,
  currency,
}: {
  smallest: number;
  amount?: string;
  currency?: string;
}): string {
  return amount === undefined ? String(smallest) : `${amount} ${currency}`;
}

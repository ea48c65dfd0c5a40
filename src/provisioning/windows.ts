/** Windows of time as written, by day names and clock times, to days and minutes. */
import type { Window } from '../charging/plan.ts';
import { each, given } from './findings.ts';
import { show } from './problem.ts';
import type { WrittenWindow } from './schema.ts';
import { optional, type Place } from './written.ts';

const DAYS: Readonly<Record<NonNullable<WrittenWindow['days']>[number], readonly number[]>> = {
  monday: [1],
  tuesday: [2],
  wednesday: [3],
  thursday: [4],
  friday: [5],
  saturday: [6],
  sunday: [7],
  workday: [1, 2, 3, 4, 5],
  weekend: [6, 7],
  holiday: [8],
};

/** A window whose end is not after its beginning ends on the day after. */
export function windowsOf(
  written: readonly WrittenWindow[] | undefined,
  { holidays, path, report }: Place & { holidays: readonly string[] },
): readonly Window[] | undefined {
  if (written === undefined) return undefined;
  const windows: Window[] = [];
  for (const [window, at] of each(written, path)) {
    checkDays(window, { holidays, path: at, report });
    const days = daysOf(window);
    const from = minutesOf(window.from ?? '00:00');
    const until = minutesOf(window.until ?? '24:00');
    windows.push({ ...optional('days', days), from, until: from < until ? until : until + 1440 });
    if (from === until)
      report({
        path: [...at, 'until'],
        found: show(window.until),
        expected: `another time than 'from'`,
      });
  }
  return windows;
}

function daysOf({ days }: WrittenWindow): number[] | undefined {
  if (days === undefined) return undefined;
  return [...new Set(given(days).flatMap((day) => DAYS[day]))].sort((a, b) => a - b);
}

function minutesOf(time: string): number {
  return Number(time.slice(0, 2)) * 60 + Number(time.slice(3));
}

function checkDays(
  { days }: WrittenWindow,
  { holidays, path, report }: Place & { holidays: readonly string[] },
): void {
  const at = days?.indexOf('holiday') ?? -1;
  if (at < 0 || holidays.length > 0) return;
  const found = "'holiday' in a plan without holidays";
  report({ path: [...path, 'days', at], found, expected: 'holidays in the plan or its tenant' });
}

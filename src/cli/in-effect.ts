/** How commands tell on which workers a change of the configuration is in effect. */
import type { InEffect } from '../provisioning/in-effect.ts';
import type { Call } from './command.ts';

/** For `--json`: nothing where it is not known. */
export const inEffectShown = (inEffect: InEffect | undefined): { inEffect?: InEffect } =>
  inEffect === undefined ? {} : { inEffect };

/** The end of a line; empty where no worker serves, or it is not known. */
export function whereText(inEffect: InEffect | undefined): string {
  const { workers = 0, without = [] } = inEffect ?? {};
  if (workers === 0) return '';
  if (without.length === 0) return `, in effect on all ${workers} workers`;
  return `, in effect on ${workers - without.length} of ${workers} workers`;
}

/** Tells whoever watches of workers that do not have it yet. */
export function noteIfPartly({ note }: Pick<Call, 'note'>, inEffect: InEffect | undefined): void {
  if (inEffect === undefined)
    note('It is stored, but whether the workers have it could not be asked.');
  else if (inEffect.without.length > 0)
    note(
      `It is stored, but not in effect on ${inEffect.without.join(', ')} yet: ` +
        'look at the log of who runs there.',
    );
}

/**
 * Installs packages with the system's package manager where we may, or says what to type. No service
 * is started or left to start with the machine: those are the machine's owner's to decide.
 */
import { execFileSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Needed, runStep } from './step.mjs';

/** @typedef {'apt-get' | 'dnf' | 'apk' | 'brew'} Manager */

/**
 * What a package is called where.
 * @type {Record<string, Partial<Record<Manager, string>>>}
 */
const NAMES = {
  redis: { 'apt-get': 'redis-server', dnf: 'valkey', apk: 'valkey', brew: 'valkey' },
  tshark: { 'apt-get': 'tshark', dnf: 'wireshark-cli', apk: 'tshark', brew: 'wireshark' },
  freediameterd: { 'apt-get': 'freediameter' },
};

/** @type {Record<Manager, string>} */
const INSTALL = {
  'apt-get': 'apt-get install -y --no-install-recommends',
  dnf: 'dnf install -y',
  apk: 'apk add',
  brew: 'brew install',
};

/**
 * Debian starts a service as it installs it, unless the program policy-rc.d says 101 (forbidden by
 * policy); one that stands there already is its owner's and stays. So is a service that was enabled.
 */
const WITHOUT_SERVICES = `
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 130' INT TERM HUP
    printf '#!/bin/sh\\nexit 101\\n' > "$policy" && chmod 755 "$policy"
  fi
  export DEBIAN_FRONTEND=noninteractive
  fresh=
  for service in redis-server freediameter; do
    systemctl is-enabled --quiet "$service" 2> /dev/null || fresh="$fresh $service"
  done
  apt-get update && "$@" || exit
  for service in $fresh; do systemctl disable --quiet "$service" 2> /dev/null; done
  exit 0
`;

/**
 * Throws `Needed` if somebody has to do it by hand.
 *
 * @param {{ need: string, packages: string[] }} wanted `need` says what for, in a sentence
 */
export async function installPackages({ need, packages }) {
  const manager = /** @type {Manager[]} */ (Object.keys(INSTALL)).find(onPath);
  if (manager === undefined) throw new Needed(`${need}\nInstall it, and try again.`);
  const names = packages.map((name) => NAMES[name]?.[manager]);
  if (names.includes(undefined)) throw new Needed(`${need}\n${manager} has no package of it.`);

  const install = `${INSTALL[manager]} ${names.join(' ')}`;
  // Homebrew belongs to a user, and refuses to be run by root.
  const isRoot = process.getuid?.() === 0;
  const sudo = manager === 'brew' || isRoot ? [] : ['sudo'];
  const commands = manager === 'apt-get' ? ['apt-get update', install] : [install];
  const typed = commands.map((command) => [...sudo, command].join(' ')).join(' && ');
  const advice = `Type this, and try again:\n\n    ${typed}\n`;
  const may = manager === 'brew' ? !isRoot : isRoot || sudoWithoutPassword();
  if (!may) throw new Needed(`${need}\n${advice}`);

  const words = install.split(' ');
  const plain = manager === 'apt-get' ? ['sh', '-c', WITHOUT_SERVICES, 'sh', ...words] : words;
  const [file = '', ...args] = sudo.length === 0 ? plain : ['sudo', '-n', ...plain];
  await runStep({ what: `Installing with ${manager}: ${names.join(', ')}`, file, args, advice });
}

/** @param {string} program */
export function onPath(program) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return folder !== '';
    } catch {
      return false;
    }
  });
}

function sudoWithoutPassword() {
  try {
    execFileSync('sudo', ['-n', 'true'], { stdio: 'ignore', timeout: 5000 });
    return true;
  } catch {
    return false;
  }
}

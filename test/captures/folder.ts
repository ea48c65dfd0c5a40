/** The folder of captures that CAPTURES_FOLDER names, as tshark sees it. Any folder will do. */
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const named = process.env.CAPTURES_FOLDER;
if (named === undefined) throw new Error('CAPTURES_FOLDER names no folder of captures');
export const folder = named;

export const files = readdirSync(folder)
  .filter((name) => /\.pcap(ng)?$/.test(name))
  .sort();

/** Requests of credit control (RFC 8506), in tshark's filter language. */
export const CREDIT_CONTROL =
  'diameter.applicationId==4 && diameter.cmd.code==272 && diameter.flags.request==1';

export interface Seen {
  lines: string[];
  /** What tshark has against the file: it ends in the middle of a packet, or is no capture. */
  complaint: string | undefined;
}

/** The lines that tshark prints of a file. A damaged file is no error: see `complaint`. */
export function tshark(file: string, args: readonly string[]): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const all = ['-r', file, ...args];
    execFile('tshark', all, { maxBuffer: 2 ** 30 }, (error, stdout, stderr) => {
      const complaint = stderr.split('\n').find((line) => line.startsWith('tshark: The file '));
      if (error !== null && complaint === undefined) return reject(error);
      resolve({ lines: stdout.split('\n').filter(Boolean), complaint });
    });
  });
}

export const pathOf = (name: string): string => join(folder, name);

// Writes each dashboard as a literal of Grafana's type, and lets the compiler judge: a field that Grafana does not know is an error.
// Usage: node check.mjs FOLDER
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const folder = process.argv[2];
const checked = join(here, 'checked');
rmSync(checked, { recursive: true, force: true });
mkdirSync(checked);
const files = readdirSync(folder).filter((file) => file.endsWith('.json'));
if (files.length === 0) throw new Error(`${folder} holds no dashboard.`);
for (const file of files) {
  const text = readFileSync(join(folder, file), 'utf8');
  writeFileSync(
    join(checked, basename(file, '.json') + '.ts'),
    `import type { Checked } from '../types.ts';\nexport const dashboard: Checked = ${text.trimEnd()};\n`);
}

try {
  execFileSync(process.execPath, [join(here, 'node_modules/typescript/bin/tsc'), '--project', here], { stdio: 'inherit' });
} catch (failed) {
  process.exit(failed.status ?? 1);
}

console.log(`${files.length} dashboards are as Grafana's types want them.`);

// Runs the tests of the pages in a headless Chromium, against the running stack. Arguments are names
// of test files without `.test.ts`; without any, all run. Options of Node are handed on.

import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const MODULES = fileURLToPath(new URL("../../tools/web/node_modules/", import.meta.url));
// Beside the packages, so that the tests find them.
const BUILT = `${MODULES}.tests/`;

const { build } = createRequire(MODULES)("esbuild");
const isOption = (argument) => argument.startsWith("--");
const given = process.argv
  .slice(2)
  .filter((it) => !isOption(it))
  .map((it) => `${it}.test.ts`);
const files = readdirSync(HERE).filter((name) => name.endsWith(".test.ts"));
const chosen = files.filter((name) => given.length === 0 || given.includes(name));
await build({
  entryPoints: chosen.map((name) => HERE + name),
  outdir: BUILT,
  outExtension: { ".js": ".mjs" },
  bundle: true,
  packages: "external",
  platform: "node",
  format: "esm",
  target: "node20",
  sourcemap: "inline",
  logLevel: "warning",
});
const built = chosen.map((name) => BUILT + name.replace(/\.ts$/, ".mjs"));
const options = [
  "--enable-source-maps",
  "--test",
  "--test-concurrency=1",
  "--test-reporter=spec",
  ...process.argv.filter(isOption),
];
process.exit(spawnSync(process.execPath, [...options, ...built], { stdio: "inherit" }).status ?? 1);

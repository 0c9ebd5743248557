// Bundles the pages into the files that the functions serve. `node build.mjs check` builds in memory
// and fails if a committed file differs, or if a page has become too large.

import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { build } from "esbuild";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const HERE = fileURLToPath(new URL(".", import.meta.url));
const PAGES = [
  {
    name: "console",
    entries: { console: "functions/ops/web/main.ts" },
    folder: "functions/ops/assets",
    limit: 150_000,
  },
];

async function bundle({ entries, folder }) {
  const points = Object.entries(entries).map(([out, path]) => ({ in: `${ROOT}${path}`, out }));
  const { outputFiles } = await build({
    entryPoints: points,
    outdir: `${ROOT}${folder}`,
    absWorkingDir: ROOT,
    nodePaths: [`${HERE}node_modules`],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    charset: "utf8",
    legalComments: "inline",
    write: false,
    logLevel: "warning",
  });
  return outputFiles.map(({ path, contents }) => ({ path, contents: Buffer.from(contents) }));
}

async function isCommitted({ path, contents }) {
  const found = await readFile(path).catch(() => Buffer.alloc(0));
  return found.equals(contents);
}

async function problems(page, files) {
  const stale = [];
  for (const file of files) {
    if (!(await isCommitted(file))) stale.push(`${file.path}: differs from its sources: make web`);
  }
  const size = files.reduce(
    (sum, { contents }) => sum + gzipSync(contents, { level: 9 }).length,
    0,
  );
  console.log(`    ${page.name}: ${size} of ${page.limit} bytes, gzipped`);
  return size > page.limit ? [...stale, `${page.name}: too large`] : stale;
}

const isCheck = process.argv[2] === "check";
for (const page of PAGES) {
  const files = await bundle(page);
  if (!isCheck) await Promise.all(files.map(({ path, contents }) => writeFile(path, contents)));
  for (const problem of await problems(page, files)) {
    console.error(`error: ${problem}`);
    process.exitCode = 1;
  }
}

// Bundles the pages into the files that the functions serve. `node build.mjs check` builds in memory
// and fails if a committed file differs, or if a page has become too large.

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
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
  {
    name: "tracking page",
    entries: { track: "functions/track/web/page.ts" },
    folder: "functions/track/assets",
    format: "iife",
    limit: 8_000,
  },
  {
    name: "style of the tracking page",
    entries: { track: "functions/track/web/page.css" },
    folder: "functions/track/assets",
    limit: 3_000,
  },
  {
    name: "<order-tracker>",
    entries: { "order-tracker": "functions/track/web/order-tracker.ts" },
    folder: "functions/track/assets",
    // Shops load it as they please: a module would need other attributes.
    format: "iife",
    limit: 15_000,
  },
];

/** `import text from "./a.css?text"`: the built style sheet as text. */
const cssAsText = {
  name: "css-as-text",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\.css\?text$/ }, ({ path, resolveDir }) => ({
      path: join(resolveDir, path.replace("?text", "")),
      namespace: "css-as-text",
    }));
    onLoad({ filter: /.*/, namespace: "css-as-text" }, async ({ path }) => {
      const [{ contents }] = await outputs({ css: path }, HERE);
      return { contents: Buffer.from(contents).toString(), loader: "text" };
    });
  },
};

function bundle({ entries, folder, format = "esm" }) {
  const paths = Object.entries(entries).map(([out, path]) => [out, `${ROOT}${path}`]);
  return outputs(Object.fromEntries(paths), `${ROOT}${folder}`, format);
}

async function outputs(entries, outdir, format = "esm") {
  const { outputFiles } = await build({
    entryPoints: entries,
    outdir,
    absWorkingDir: ROOT,
    nodePaths: [`${HERE}node_modules`],
    bundle: true,
    minify: true,
    format,
    plugins: [cssAsText],
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

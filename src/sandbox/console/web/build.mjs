// Writes ../static: the page in one script and one style sheet, and the licences of all that is in them.
// Nothing of it asks for a network when the page runs.

import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "..", "static");
const read = (...path) => readFileSync(join(here, ...path), "utf8");

// The renderer gives every message the same id and hangs its style sheet on it. An id may stand only once in a page,
// so both become a class; written three times it weighs more than the sheet's other rules, as the id did.
const ID = "slack_blocks_to_jsx";
const renderer = {
  name: "renderer",
  setup({ onLoad }) {
    onLoad({ filter: /slack-blocks-to-jsx[\\/]dist[\\/]index\.mjs$/ }, ({ path }) => ({
      contents: replaced(readFileSync(path, "utf8"), `id:"${ID}",`, ""),
      loader: "js",
    }));
    onLoad({ filter: /slack-blocks-to-jsx[\\/]dist[\\/]style\.css$/ }, ({ path }) => ({
      contents: replaced(readFileSync(path, "utf8"), `#${ID}`, `.${ID}`.repeat(3)),
      loader: "css",
    }));
  },
};

function replaced(text, from, to) {
  if (!text.includes(from)) throw new Error(`the renderer has changed: ${from} is no longer in it`);
  return text.replaceAll(from, to);
}

const { metafile } = await build({
  absWorkingDir: here,
  entryPoints: { app: "src/main.jsx" },
  outdir: out,
  bundle: true,
  minify: true,
  metafile: true,
  jsx: "automatic",
  target: "es2022",
  legalComments: "none", // LICENSES.txt has them whole
  define: { "process.env.NODE_ENV": '"production"' },
  plugins: [renderer],
});

writeFileSync(join(out, "index.html"), read("src", "index.html"));
writeFileSync(join(out, "LICENSES.txt"), licences(Object.keys(metafile.inputs)));
writeFileSync(join(out, "SOURCES.sha256"), `${digest()}\n`);

// Licences

function licences(inputs) {
  const packages = new Set(inputs.map((path) => path.match(/node_modules\/((?:@[^/]+\/)?[^/]+)\//)?.[1]));
  packages.delete(undefined);
  const told = [...packages].sort().map((name) => {
    const about = JSON.parse(read("node_modules", name, "package.json"));
    return `${name} ${about.version} (${about.license})\n\n${text(name)}`;
  });
  // These two are inside the renderer's own files, which name them without their licences.
  told.push(`@yozora, within slack-blocks-to-jsx (MIT)\n\n${read("licenses", "yozora.txt").trim()}`);
  told.push(`tailwindcss, its base styles within slack-blocks-to-jsx (MIT)\n\n${read("licenses", "tailwindcss.txt").trim()}`);
  const rule = `\n\n${"-".repeat(80)}\n\n`;
  return ["What app.js and app.css contain of others, and on what terms.", ...told].join(rule).replaceAll("\r", "") + "\n";
}

function text(name) {
  const folder = join(here, "node_modules", name);
  const file = readdirSync(folder).find((one) => /^licen[sc]e/i.test(one));
  if (!file) throw new Error(`${name} comes without a licence`);
  return readFileSync(join(folder, file), "utf8").trim();
}

// What was built of what: a test compares this with the sources, so that nobody forgets to build.

function digest() {
  const names = readdirSync(join(here, "src")).sort().map((name) => join("src", name));
  const hash = createHash("sha256");
  for (const name of [...names, "build.mjs", "package-lock.json"].filter((one) => existsSync(join(here, one)))) {
    hash.update(readFileSync(join(here, name)));
  }
  return hash.digest("hex");
}

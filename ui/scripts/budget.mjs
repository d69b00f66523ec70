// The first load (index.html and what it pulls in at once) must stay within 230 KiB gzipped, all files within 2 MB.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const folder = new URL("../../src/upshot/http/ui/", import.meta.url).pathname;
const kib = (bytes) => Math.round(bytes / 102.4) / 10;
const html = readFileSync(join(folder, "index.html"), "utf8");
const first = new Set([...html.matchAll(/(?:src|href)="\.\/([^"]+\.(?:js|css))"/g)].map((match) => match[1]));

// Follow the static imports of what is loaded at once.
for (const file of first) {
  if (!file.endsWith(".js")) continue;
  const text = readFileSync(join(folder, file), "utf8");
  for (const match of text.matchAll(/(?:from|import)\s*"\.\/([^"]+\.js)"/g)) first.add(`assets/${match[1]}`);
}

// The typeface comes with the stylesheet; it is compressed already.
let fontBytes = 0;
for (const file of [...first].filter((name) => name.endsWith(".css"))) {
  const text = readFileSync(join(folder, file), "utf8");
  for (const match of text.matchAll(/url\(\.\/([^)"]+\.woff2)\)/g)) fontBytes += statSync(join(folder, "assets", match[1])).size;
}

let firstBytes = fontBytes + gzipSync(html).length;
for (const file of first) firstBytes += gzipSync(readFileSync(join(folder, file)), { level: 9 }).length;

let total = 0;
for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
  if (entry.isFile()) total += statSync(join(entry.parentPath, entry.name)).size;
}
console.log(JSON.stringify({ figure: "ui_first_load", value: kib(firstBytes), unit: "KiB gzipped", limit: 230 }));
console.log(JSON.stringify({ figure: "ui_total", value: kib(total), unit: "KiB", limit: 2048 }));
if (firstBytes > 230 * 1024 || total > 2 * 1024 * 1024) process.exit(1);

// Slack's small languages as plain text: dates, mrkdwn, emoji names.

import { emojify } from "node-emoji";

const DAY = 24 * 3600 * 1000;
const show = (options) => (date) => new Intl.DateTimeFormat(undefined, options).format(date);
const time = show({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const short = show({ month: "short", day: "numeric", year: "numeric" });
const long = show({ weekday: "long", month: "long", day: "numeric", year: "numeric" });
const medium = show({ month: "long", day: "numeric", year: "numeric" });

const TOKENS = {
  date_num: (date) => `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`,
  date_slash: (date) => date.toLocaleDateString(),
  date: medium,
  date_short: short,
  date_long: long,
  date_pretty: (date) => near(date) ?? medium(date),
  date_short_pretty: (date) => near(date) ?? short(date),
  date_long_pretty: (date) => near(date) ?? long(date),
  day_divider_pretty: (date) => near(date) ?? long(date),
  time,
  time_secs: show({ hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }),
  ago: (date) => ago(Date.now() - date),
};

const two = (number) => String(number).padStart(2, "0");

function near(date) {
  const days = Math.round((midnight(new Date()) - midnight(date)) / DAY);
  return { 0: "Today", 1: "Yesterday", "-1": "Tomorrow" }[days];
}

const midnight = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate());

function ago(milliseconds) {
  const minutes = Math.round(milliseconds / 60000);
  if (Math.abs(minutes) < 1) return "just now";
  const [count, unit] = Math.abs(minutes) < 90 ? [minutes, "minute"] : [Math.round(minutes / 60), "hour"];
  return new Intl.RelativeTimeFormat("en").format(-count, unit);
}

/** A date token's text in the reader's own time zone. */
export function dated(timestamp, format) {
  const date = new Date(Number(timestamp) * 1000);
  return format.replace(/\{(\w+)\}/g, (token, name) => TOKENS[name]?.(date) ?? token);
}

export function Moment({ timestamp, format = "{date_short_pretty} {time}" }) {
  const date = new Date(Number(timestamp) * 1000);
  return (
    <time dateTime={date.toISOString()} title={date.toLocaleString()}>
      {dated(timestamp, format)}
    </time>
  );
}

/** What a plain_text object shows. */
export function plain(object) {
  if (!object) return "";
  return object.emoji === false ? object.text : emojify(object.text ?? "");
}

/** mrkdwn as a phone's notification shows it: tokens resolved, marks gone; `names` gives names for ids. */
export function spoken(mrkdwn, names = {}) {
  return mrkdwn
    .replace(/<!date\^\d+\^[^|>]*\|([^>]*)>/g, "$1")
    .replace(/<!(?:subteam\^)?(\w+)(?:\|@?([^>]*))?>/g, (_, id, label) => `@${label || names[id] || id}`)
    .replace(/<@(\w+)(?:\|([^>]*))?>/g, (_, id, label) => `@${names[id] || label || id}`)
    .replace(/<#(\w+)(?:\|([^>]*))?>/g, (_, id, label) => `#${names[id] || label || id}`)
    .replace(/<([^|>]+)\|([^>]*)>/g, "$2")
    .replace(/<([^>]+)>/g, "$1")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");
}

/** Every text in a block, in the order it stands there: for blocks that nothing here can draw. */
export function texts(value, key) {
  if (typeof value === "string") return ["text", "title", "caption", "alt_text", "fallback"].includes(key) ? [value] : [];
  if (Array.isArray(value)) return value.flatMap((inner) => texts(inner, key));
  if (value && typeof value === "object") return Object.entries(value).flatMap(([name, inner]) => texts(inner, name));
  return [];
}

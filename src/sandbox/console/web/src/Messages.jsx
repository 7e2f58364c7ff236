// The messages of one conversation, threads under their first message.

import { memo, useId, useLayoutEffect, useMemo, useRef, useState } from "react";
import { Blocks } from "./blocks.jsx";
import { Menu } from "./elements.jsx";
import { Icon } from "./icons.jsx";
import { useShell } from "./shell.jsx";
import { SourceOf } from "./source.jsx";
import { Moment, dated, spoken } from "./text.jsx";

export function Messages({ channel, reply }) {
  const { feed } = useShell();
  const [roots, replies] = useMemo(() => threads(feed.messages, channel.id), [feed.messages, channel.id]);
  const [list, below, down] = useScroll(channel.id, roots, feed.messages);
  return (
    <div className="messages-frame">
      <section className="messages" ref={list} aria-labelledby="messages" tabIndex={0}>
        <h2 id="messages" className="sr-only">
          Messages
        </h2>
        {roots.length === 0 && <Empty channel={channel} />}
        <ol>
          {roots.map((message, index) => (
            <li key={message.ts} data-ts={message.ts}>
              <Day message={message} before={roots[index - 1]} />
              <Message message={message} reply={reply} />
              {replies.has(message.ts) && <Replies messages={replies.get(message.ts)} reply={reply} />}
            </li>
          ))}
        </ol>
      </section>
      {below && (
        <button type="button" className="press to-newest" onClick={down}>
          <Icon name="down" /> Newest
        </button>
      )}
    </div>
  );
}

function threads(messages, channel) {
  const here = [...messages.values()].filter((one) => one.channel === channel);
  here.sort((one, other) => (one.ts < other.ts ? -1 : 1));
  const replies = new Map();
  for (const one of here) {
    if (one.thread) replies.set(one.thread, [...(replies.get(one.thread) ?? []), one]);
  }
  const roots = here.filter((one) => !one.thread || !messages.has(one.thread));
  return [roots, replies];
}

/**
 * New messages are scrolled to, but never past their own beginning: the failures stand first. Who has scrolled up to
 * read stays where they are.
 */
function useScroll(channel, roots, messages) {
  const list = useRef(null);
  const known = useRef({});
  const [below, setBelow] = useState(false);
  const end = () => list.current.scrollHeight - list.current.clientHeight;
  useLayoutEffect(() => {
    const { channel: before, seen = new Set(), stay } = known.current;
    const fresh = [...messages.keys()].filter((ts) => messages.get(ts).channel === channel && !seen.has(ts));
    const first = fresh.length && [...list.current.querySelectorAll("[data-ts]")].find((one) => fresh.includes(one.dataset.ts));
    known.current = { channel, seen: new Set(messages.keys()), stay };
    if (before !== channel) list.current.scrollTop = end();
    else if (first && !stay) list.current.scrollTop = Math.min(end(), first.offsetTop - 12);
    setBelow(end() - list.current.scrollTop > 80);
  }, [channel, roots, messages]);
  useLayoutEffect(() => {
    const element = list.current;
    let near = true;
    const look = () => {
      const gap = end() - element.scrollTop;
      near = gap <= 80;
      known.current.stay = gap > element.clientHeight;
      setBelow(!near);
    };
    // Who was at the end stays there when the window becomes another one.
    const resized = new ResizeObserver(() => {
      if (near) element.scrollTop = end();
      look();
    });
    element.addEventListener("scroll", look, { passive: true });
    resized.observe(element);
    return () => {
      element.removeEventListener("scroll", look);
      resized.disconnect();
    };
  }, []);
  const down = () => {
    list.current.scrollTop = end();
    list.current.focus();
  };
  return [list, below, down];
}

function Empty({ channel }) {
  const { facts, post } = useShell();
  const examples = ["", "failed", "help"];
  if (channel.archived) return <p className="empty">This channel is archived.</p>;
  return (
    <div className="empty">
      <h2>Ask what a command really did</h2>
      <p>
        Type an invocation’s id, an instance, or a name; or click a scenario in the list. Everything here goes through
        the real function, on this machine, without any account.
      </p>
      <p className="examples">
        {examples.map((text) => (
          <button key={text} type="button" className="press" onClick={() => post(`${facts.command} ${text}`.trim())}>
            {`${facts.command} ${text}`.trim()}
          </button>
        ))}
      </p>
    </div>
  );
}

function Day({ message, before }) {
  const day = (one) => dated(one.ts, "{day_divider_pretty}");
  if (before && day(before) === day(message)) return null;
  return (
    <p className="day">
      <span>{day(message)}</span>
    </p>
  );
}

function Replies({ messages, reply }) {
  const count = `${messages.length} ${messages.length === 1 ? "reply" : "replies"}`;
  return (
    <ol className="replies" aria-label={count}>
      {messages.map((message) => (
        <li key={message.ts} data-ts={message.ts}>
          <Message message={message} reply={reply} />
        </li>
      ))}
    </ol>
  );
}

const Message = memo(function Message({ message, reply }) {
  const { facts, names } = useShell();
  const label = useId();
  const bot = message.user === facts.bot || message.user === facts.slackbot;
  return (
    <article className={`message ${message.private ? "private" : ""} ${bot ? "of-bot" : ""}`} aria-labelledby={label}>
      <Avatar user={message.user} />
      <div className="message-body">
        <header id={label}>
          <b>{names[message.user] ?? message.user}</b>
          {bot && <small className="app">APP</small>}
          <Moment timestamp={message.ts} format="{time}" />
          {message.private && (
            <span className="only-you">
              <Icon name="eye" /> Only visible to you
            </span>
          )}
        </header>
        <Content message={message} />
        <Under message={message} reply={reply} bot={message.user === facts.bot} />
      </div>
    </article>
  );
}, sameMessage);

function sameMessage(before, after) {
  return JSON.stringify(before.message) === JSON.stringify(after.message) && before.reply === after.reply;
}

export function Avatar({ user }) {
  const { facts, names } = useShell();
  if (user === facts.bot) return <span className="avatar bot" aria-hidden="true">{">_"}</span>;
  const initials = (names[user] ?? "?").split(" ").map((word) => word[0]).join("").slice(0, 2);
  const hue = [...user].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % 6;
  return <span className={`avatar tint-${hue}`} aria-hidden="true">{initials}</span>;
}

function Content({ message }) {
  const text = { type: "mrkdwn", text: message.text };
  const section = useMemo(() => [{ type: "section", text }], [message.text]);
  if (message.via === "echo") return <p className="typed">{message.text}</p>;
  return (
    <>
      {message.blocks.length > 0 && (
        <SourceOf address={{ channel: message.channel, ts: message.ts }} blocks={message.blocks}>
          <Blocks blocks={message.blocks} />
        </SourceOf>
      )}
      {message.blocks.length === 0 && message.text && <Blocks blocks={section} />}
      {message.files.map((file) => (
        <details key={file.name} className="file">
          <summary>
            {file.name} <small>{file.length} bytes</small>
          </summary>
          <pre tabIndex={0}>{file.text}</pre>
        </details>
      ))}
      {message.reactions.length > 0 && <p className="reactions">{message.reactions.map((name) => `:${name}:`).join(" ")}</p>}
    </>
  );
}

/** The line on the phone, and what can be done with a message. */
function Under({ message, reply, bot }) {
  const { facts, names, act, toast, feed } = useShell();
  const [open, setOpen] = useState(false);
  const phone = useMemo(() => spoken(message.text, names).split("\n")[0], [message.text, names]);
  const json = useMemo(() => JSON.stringify(asPosted(message), null, 2), [message]);
  const channel = feed.channels.find((one) => one.id === message.channel);
  const shortcuts = facts.shortcuts.filter((one) => one.on_message);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(json);
      toast("JSON copied.");
    } catch {
      setOpen(true);
      toast("This browser does not let the page copy. The JSON is shown below the message.");
    }
  };
  return (
    <>
      <div className="under">
        {bot && (
          <p className="phone" title="What a phone shows in its notification">
            <Icon name="phone" />
            <span className="sr-only">On the phone: </span>
            <span>{phone || "(no text: a phone shows nothing)"}</span>
            {message.edits > 0 && <small>updated {message.edits === 1 ? "once" : `${message.edits} times`}, rings nobody</small>}
          </p>
        )}
        <div className="tools">
          {!message.private && !channel?.archived && (
            <button type="button" onClick={() => reply(message.thread ?? message.ts)}>
              <Icon name="reply" /> Reply
            </button>
          )}
          {bot && (
            <>
              <button type="button" aria-expanded={open} onClick={() => setOpen(!open)}>
                <Icon name="braces" /> JSON
              </button>
              <button type="button" onClick={copy}>
                <Icon name="copy" /> Copy JSON
              </button>
            </>
          )}
          {shortcuts.length > 0 && (
            <Menu
              label="Message shortcuts"
              className="tool"
              items={shortcuts.map(({ callback_id, name }) => ({
                text: name,
                choose: () => act("shortcut", { callback_id, channel: message.channel, ts: message.ts }),
              }))}
            />
          )}
        </div>
      </div>
      {open && (
        <pre className="json" tabIndex={0} role="group" aria-label="JSON of this message">
          {json}
        </pre>
      )}
    </>
  );
}

function asPosted({ channel, ts, thread, text, blocks }) {
  return { channel, ts, ...(thread ? { thread_ts: thread } : {}), text, blocks };
}

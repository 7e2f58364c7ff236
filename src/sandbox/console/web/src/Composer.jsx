// The box to type in: slash commands, mentions, messages; what was typed before comes back with the arrow keys.

import { useEffect, useRef, useState } from "react";
import { Icon } from "./icons.jsx";
import { useShell } from "./shell.jsx";

export function Composer({ channel, title, thread, leaveThread, history }) {
  const { facts, feed, names, post, working } = useShell();
  const box = useRef(null);
  const [text, setText] = useState("");
  const [back, setBack] = useState(0);
  const bot = `@${facts.users.find((user) => user.id === facts.bot).name}`;
  const parent = thread && feed.messages.get(thread);

  useEffect(() => {
    if (!thread) return;
    setText((before) => before || `${bot} `);
    box.current.focus();
  }, [thread, bot]);

  useEffect(() => {
    box.current.style.height = "auto";
    box.current.style.height = `${Math.min(box.current.scrollHeight, 160)}px`;
  }, [text]);

  const send = async () => {
    const typed = text.trim();
    if (!typed) return;
    setText("");
    setBack(0);
    if (!(await post(typed, thread))) setText((now) => now || typed);
  };
  const recall = (step) => {
    const next = Math.max(0, Math.min(history.length, back + step));
    setBack(next);
    setText(next ? history.at(-next) : "");
  };
  const key = (event) => {
    if (event.nativeEvent.isComposing) return;
    const older = event.key === "ArrowUp" && (text === "" || (back > 0 && text === history.at(-back)));
    const newer = event.key === "ArrowDown" && back > 0 && text === history.at(-back);
    if (event.key === "Enter" && !event.shiftKey) send();
    else if (older) recall(1);
    else if (newer) recall(-1);
    else if (event.key === "Tab" && completes(text, facts.command)) setText(`${facts.command} `);
    else if (event.key === "Escape" && thread) leaveThread();
    else return;
    event.preventDefault();
  };

  return (
    <div className="composer">
      <p className="working" role="status">
        {working && <span>Cloud Assistant is at work…</span>}
        {!working && feed.waiting > 0 && <span className="still">{waits(feed.waiting)}</span>}
      </p>
      <form
        className="box"
        onSubmit={(event) => {
          event.preventDefault();
          send();
        }}
      >
        {parent && (
          <p className="in-thread">
            <Icon name="reply" />
            <span>In the thread of {names[parent.user]}; slash commands do not work here, mention the bot</span>
            <button type="button" className="icon-button" aria-label="Leave the thread" onClick={leaveThread}>
              <Icon name="close" />
            </button>
          </p>
        )}
        <textarea
          ref={box}
          id="box"
          rows={1}
          value={text}
          disabled={channel.archived}
          aria-label={parent ? "Reply in the thread" : `Message to ${title}`}
          aria-describedby="box-help"
          placeholder={channel.archived ? "This channel is archived" : `${facts.command} t-… or ${bot} …`}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={key}
          autoComplete="off"
          spellCheck={false}
        />
        <button className="send" aria-label="Send" disabled={!text.trim() || channel.archived}>
          <Icon name="send" />
        </button>
      </form>
      <p id="box-help" className="help">
        <kbd>Enter</kbd> sends, <kbd>↑</kbd> brings back what you typed, <kbd>Tab</kbd> completes <code>{facts.command}</code>
      </p>
    </div>
  );
}

const completes = (text, command) => text.length > 0 && text !== command && command.startsWith(text);

const waits = (count) => `${count} ${count === 1 ? "job waits" : "jobs wait"} for a later moment`;

// What a sandbox has and Slack has not: another time, other people, and things that go wrong.

import { useEffect, useState } from "react";
import { Icon } from "./icons.jsx";
import { useShell } from "./shell.jsx";

export function Panel({ become }) {
  return (
    <>
      <Clock />
      <Faults />
      <Who become={become} />
      <Shortcuts />
    </>
  );
}

function Clock() {
  const { feed, act } = useShell();
  const [going, setGoing] = useState(false);
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  const shown = new Date(now + feed.ahead * 1000);
  const goOn = async (seconds) => {
    setGoing(true);
    await act("clock", { seconds });
    setGoing(false);
  };
  return (
    <section aria-labelledby="clock">
      <h2 id="clock">Clock</h2>
      <p className="clock">
        <time dateTime={shown.toISOString()}>{shown.toLocaleTimeString([], { hourCycle: "h23" })}</time>
        <span>{feed.ahead ? `${span(feed.ahead)} ahead` : "real time"}</span>
      </p>
      <p className="buttons">
        {[10, 60, 600].map((seconds) => (
          <button key={seconds} type="button" className="press" aria-disabled={going || undefined} onClick={() => going || goOn(seconds)}>
            +{span(seconds)}
          </button>
        ))}
      </p>
      <p className="note">Runs in Alibaba Cloud go on, and so do watches. For anything else ask again, or press a button.</p>
    </section>
  );
}

function span(seconds) {
  const parts = [
    [Math.floor(seconds / 3600), "h"],
    [Math.floor(seconds / 60) % 60, "min"],
    [seconds % 60, "s"],
  ];
  return parts.filter(([count]) => count).map(([count, unit]) => `${count} ${unit}`).join(" ");
}

function Faults() {
  const { facts, act, toast } = useShell();
  const blow = async (key) => {
    const answer = await act("fault", { once: key });
    if (answer) toast(answer.said);
  };
  return (
    <section aria-labelledby="faults">
      <h2 id="faults">Faults</h2>
      <Choice id="cloud" label="Alibaba Cloud’s API" />
      <Choice id="slack" label="Slack’s API" />
      <div className="blows">
        {facts.faults.once.map(({ key, label }) => (
          <button key={key} type="button" className={`press ${key === "kill" ? "danger-line" : ""}`} onClick={() => blow(key)}>
            {label}
          </button>
        ))}
      </div>
    </section>
  );
}

function Choice({ id, label }) {
  const { facts, feed, act } = useShell();
  const on = feed.faults[id] !== "none";
  return (
    <label className={`fault ${on ? "on" : ""}`}>
      <span>
        {label} {on && <Icon name="warn" />}
      </span>
      <select className="field" value={feed.faults[id]} onChange={(event) => act("fault", { [id]: event.target.value })}>
        {facts.faults[id].map(({ key, label: text }) => (
          <option key={key} value={key}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

function Who({ become }) {
  const { facts, user } = useShell();
  const people = facts.users.filter((one) => !one.bot);
  return (
    <section aria-labelledby="who">
      <h2 id="who">Who am I</h2>
      <select className="field" aria-labelledby="who" value={user} onChange={(event) => become(event.target.value)}>
        {people.map((one) => (
          <option key={one.id} value={one.id}>
            {one.real_name}, {one.kind}
          </option>
        ))}
      </select>
      <p className="note">Each sees their own channels and private messages.</p>
    </section>
  );
}

function Shortcuts() {
  const { facts, act } = useShell();
  const global = facts.shortcuts.filter((one) => !one.on_message);
  if (!global.length) return null;
  return (
    <section aria-labelledby="shortcuts">
      <h2 id="shortcuts">Shortcuts</h2>
      <div className="blows">
        {global.map(({ callback_id, name }) => (
          <button key={callback_id} type="button" className="press" onClick={() => act("shortcut", { callback_id })}>
            {name}
          </button>
        ))}
      </div>
    </section>
  );
}

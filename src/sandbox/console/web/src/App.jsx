// The whole page: what it knows, what it does, and where its parts stand.

import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { post as send, useFacts, useFeed } from "./api.js";
import { Composer } from "./Composer.jsx";
import { Home } from "./Home.jsx";
import { Icon } from "./icons.jsx";
import { Messages } from "./Messages.jsx";
import { Confirm, Modal } from "./Modal.jsx";
import { Panel } from "./Panel.jsx";
import { Look, Shell, explained, useMedia, useShell, useTheme } from "./shell.jsx";
import { Sidebar, iconOf } from "./Sidebar.jsx";
import { spoken } from "./text.jsx";

export function App() {
  const facts = useFacts();
  const [theme, toggleTheme] = useTheme();
  const [user, setUser] = useState(null);
  const me = user ?? facts?.users[0].id;
  if (!facts) return <p className="starting">Starting…</p>;
  return <Signed key={me} facts={facts} user={me} become={setUser} theme={theme} toggleTheme={toggleTheme} />;
}

/** The page as one person sees it. */
function Signed({ facts, user, become, theme, toggleTheme }) {
  const [feed, lost] = useFeed(user);
  if (!feed) return <p className="starting">Starting…</p>;
  return <Page {...{ facts, feed, lost, user, become, theme, toggleTheme }} />;
}

function Page({ facts, feed, lost, user, become, theme, toggleTheme }) {
  const [place, setPlace] = useState({ channel: feed.channels[0]?.id });
  const [thread, setThread] = useState(null);
  const [history, setHistory] = useState([]);
  const [question, setQuestion] = useState(null);
  const [toasts, toast, dismiss] = useToasts();
  const [drawer, setDrawer] = useState(null);
  const [typing, setTyping] = useState(0);

  const act = useCallback(
    async (action, body) => {
      try {
        const answer = await send(action, { user, ...body });
        if (!answer.error) return answer;
        toast(explained(answer.error), true);
      } catch (error) {
        toast(error.message, true);
      }
      return null;
    },
    [user, toast],
  );
  const confirm = useCallback((asked) => new Promise((answer) => setQuestion({ asked, answer })), []);

  const direct = feed.channels.find((one) => one.with === facts.bot);
  const channel = place.app ? direct : (feed.channels.find((one) => one.id === place.channel) ?? feed.channels[0]);
  const unread = useUnread(facts, feed, channel?.id, direct?.id);

  const go = useCallback(
    (next) => {
      setPlace(next);
      setThread(null);
      setDrawer(null);
      if (next.app) act("home", {});
    },
    [act],
  );
  const type = async (text, inThread = null, where = channel.id) => {
    setHistory((before) => [...before.filter((one) => one !== text), text]);
    setTyping((count) => count + 1);
    const answer = await act("type", { text, channel: where, thread: inThread });
    setTyping((count) => count - 1);
    return answer;
  };
  const ask = (scenario) => {
    const open = !place.app && channel && !channel.archived;
    const where = open ? channel.id : feed.channels[0].id;
    if (!open) setPlace({ channel: where });
    setThread(null);
    setDrawer(null);
    type(`${facts.command} ${scenario.ask}`, null, where);
  };
  const replay = async (scenario) => {
    if (await act("replay", { scenario: scenario.name })) toast(`“${scenario.title}” starts again now.`);
  };

  const [names, look] = useMemo(() => {
    const names = Object.fromEntries([
      ...facts.users.map((one) => [one.id, one.real_name]),
      ...feed.channels.map((one) => [one.id, one.name]),
      ...facts.usergroups.map((one) => [one.id, one.name]),
      [facts.slackbot, "Slackbot"],
    ]);
    const data = {
      users: facts.users.map((one) => ({ id: one.id, name: one.name })),
      channels: feed.channels.map(({ id, name }) => ({ id, name })),
      user_groups: facts.usergroups,
    };
    return [names, { data, theme }];
  }, [facts, theme, JSON.stringify(feed.channels)]);

  const value = { names, facts, feed, user, act, toast, confirm, post: type, working: typing > 0 || feed.working > 0 };
  const title = place.app ? "Cloud Assistant" : titleOf(channel, names);
  const roots = [...new Set(feed.modals.map((one) => one.root))];
  const stack = feed.modals.filter((one) => one.root === roots.at(-1));

  return (
    <Shell value={value}>
      <Look value={look}>
      <a className="skip" href={place.app === "home" ? "#home" : "#box"}>
        {place.app === "home" ? "Skip to the Home tab" : "Skip to the message box"}
      </a>
      <Frame {...{ drawer, setDrawer }}>
        <Sidebar place={place.app ? place : { channel: channel?.id }} go={go} unread={unread} ask={ask} replay={replay} />
        <>
          <Top {...{ place, channel, title, drawer, setDrawer, theme, toggleTheme, lost }} />
          {place.app && <Tabs tab={place.app} go={go} />}
          {place.app === "home" && <Home />}
          {place.app !== "home" && channel && <Messages key={channel.id} channel={channel} reply={setThread} />}
          {place.app !== "home" && channel && (
            <Composer key={`box ${channel.id}`} channel={channel} title={title} thread={thread} leaveThread={() => setThread(null)} history={history} />
          )}
        </>
        <Panel become={become} />
      </Frame>
      {stack.length > 0 && <Modal key={stack[0].root} stack={stack} />}
      {question && (
        <Confirm
          question={question.asked}
          answer={(yes) => {
            question.answer(yes);
            setQuestion(null);
          }}
        />
      )}
      <Toasts toasts={toasts} dismiss={dismiss} />
      <Spoken />
      </Look>
    </Shell>
  );
}

const titleOf = (channel, names) => (channel?.name ? `#${channel.name}` : names[channel?.with] ?? "");

/** Three columns; on narrow windows the outer two are drawers, and what they cover can not be reached meanwhile. */
function Frame({ drawer, setDrawer, children: [left, middle, right] }) {
  const narrow = useMedia("(max-width: 820px)");
  const medium = useMedia("(max-width: 1150px)");
  const covered = (drawer === "left" && narrow) || (drawer === "right" && medium);
  const opener = useRef(null);
  useEffect(() => {
    if (covered) {
      opener.current = document.activeElement;
      document.querySelector(`.${drawer} button, .${drawer} select`)?.focus();
    } else opener.current?.focus?.();
  }, [covered, drawer]);
  const key = (event) => event.key === "Escape" && covered && setDrawer(null);
  return (
    <div className="frame" onKeyDown={key}>
      <aside className={`left ${drawer === "left" ? "open" : ""}`} aria-label="Workspace" inert={(narrow && drawer !== "left") || (covered && drawer !== "left")}>
        {left}
      </aside>
      <main inert={covered}>{middle}</main>
      <aside className={`right ${drawer === "right" ? "open" : ""}`} aria-label="Sandbox" inert={(medium && drawer !== "right") || (covered && drawer !== "right")}>
        {right}
      </aside>
      {covered && <div className="veil" onClick={() => setDrawer(null)} />}
    </div>
  );
}

function Top({ place, channel, title, drawer, setDrawer, theme, toggleTheme, lost }) {
  const toggle = (side) => () => setDrawer(drawer === side ? null : side);
  return (
    <header className="top">
      <button type="button" className="icon-button only-narrow" aria-label="Channels and scenarios" aria-expanded={drawer === "left"} onClick={toggle("left")}>
        <Icon name="menu" />
      </button>
      <h1>
        {!place.app && channel?.name && <Icon name={iconOf(channel)} />}
        <span>{title.replace(/^#/, "")}</span>
      </h1>
      <p className="about">{about(place, channel)}</p>
      {lost && (
        <p className="lost" role="alert">
          The sandbox does not answer; trying again
        </p>
      )}
      <button type="button" className="icon-button" aria-label="Dark" aria-pressed={theme === "dark"} onClick={toggleTheme}>
        <Icon name={theme === "dark" ? "sun" : "moon"} />
      </button>
      <button type="button" className="icon-button only-medium" aria-label="Clock, faults, who am I" aria-expanded={drawer === "right"} onClick={toggle("right")}>
        <Icon name="sliders" />
      </button>
    </header>
  );
}

function about(place, channel) {
  if (place.app || !channel || channel.kind === "im") return "";
  if (channel.archived) return "archived";
  if (channel.shared) return "shared with another organisation";
  return channel.bot ? "" : "the bot is not in here";
}

function Tabs({ tab, go }) {
  return (
    <nav className="tabs" aria-label="Cloud Assistant">
      {["home", "messages"].map((name) => (
        <button key={name} type="button" aria-current={tab === name ? "page" : undefined} onClick={() => go({ app: name })}>
          {name === "home" ? "Home" : "Messages"}
        </button>
      ))}
    </nav>
  );
}

function useToasts() {
  const [toasts, setToasts] = useState([]);
  const dismiss = useCallback((id) => setToasts((all) => all.filter((one) => one.id !== id)), []);
  const toast = useCallback(
    (text, bad = false) => {
      const id = crypto.randomUUID();
      setToasts((all) => [...all.slice(-2), { id, text, bad }]);
      setTimeout(() => dismiss(id), bad ? 12000 : 5000);
    },
    [dismiss],
  );
  return [toasts, toast, dismiss];
}

function Toasts({ toasts, dismiss }) {
  return (
    <div className="toasts" role="alert">
      {toasts.map(({ id, text, bad }) => (
        <p key={id} className={bad ? "bad" : ""}>
          {bad && <Icon name="warn" />}
          <span>{text}</span>
          <button type="button" className="icon-button" aria-label="Dismiss" onClick={() => dismiss(id)}>
            <Icon name="close" />
          </button>
        </p>
      ))}
    </div>
  );
}

/** How many messages of others came to each conversation that is not being looked at. */
function useUnread(facts, feed, here, direct) {
  const [counts, setCounts] = useState({});
  useEffect(() => {
    const others = feed.arrived.filter((one) => one.user !== feed.user && one.channel !== here);
    setCounts((before) => {
      const next = { ...before, [here]: 0 };
      for (const { channel } of others) next[channel] = (next[channel] ?? 0) + 1;
      return next;
    });
  }, [feed.arrived, feed.user, here]);
  return { ...counts, app: counts[direct] };
}

/** Reads new messages to those who do not see them: their `text`, which is all that a screen reader gets in Slack. */
function Spoken() {
  const { feed, names } = useShell();
  const [said, setSaid] = useState([]);
  useEffect(() => {
    const others = feed.arrived.filter((one) => one.user !== feed.user);
    if (others.length) setSaid((before) => [...before, ...others].slice(-5));
  }, [feed.arrived, feed.user]);
  return (
    <div className="sr-only" role="log" aria-live="polite" aria-label="New messages">
      {said.map((message) => (
        <p key={message.ts}>
          {names[message.user]}: {spoken(message.text, names)}
        </p>
      ))}
    </div>
  );
}

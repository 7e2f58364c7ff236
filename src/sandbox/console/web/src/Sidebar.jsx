// Where one can go, and what there is to ask about.

import { Icon } from "./icons.jsx";
import { useShell } from "./shell.jsx";

export function Sidebar({ place, go, unread, ask, replay }) {
  const { facts, feed } = useShell();
  const named = (kind) => feed.channels.filter((one) => (kind === "im") === (one.kind === "im"));
  const people = named("im").filter((one) => one.with !== facts.bot);
  return (
    <>
      <div className="workspace">
        <b>{facts.workspace}</b>
        <span>a workspace on this machine</span>
      </div>
      <nav aria-label="Conversations">
        <h2>Channels</h2>
        <ul>
          {named("channels").map((channel) => (
            <Place key={channel.id} icon={iconOf(channel)} here={place.channel === channel.id} unread={unread[channel.id]} go={() => go({ channel: channel.id })}>
              {channel.name}
            </Place>
          ))}
        </ul>
        <h2>Direct messages</h2>
        <ul>
          {people.map((channel) => (
            <Place key={channel.id} here={place.channel === channel.id} unread={unread[channel.id]} go={() => go({ channel: channel.id })}>
              {facts.users.find((user) => user.id === channel.with)?.real_name}
            </Place>
          ))}
          <Place here={Boolean(place.app)} unread={unread.app} go={() => go({ app: "messages" })}>
            Cloud Assistant <small className="app">APP</small>
          </Place>
        </ul>
      </nav>
      <section aria-labelledby="scenarios">
        <h2 id="scenarios">Scenarios</h2>
        <ul className="scenarios">
          {facts.scenarios.map((scenario) => (
            <li key={scenario.name}>
              <button type="button" className="scenario" onClick={() => ask(scenario)}>
                <b>{scenario.title}</b>
                <span>{scenario.about}</span>
                <code>
                  {scenario.ask.split(" ").map((word) => (
                    <i key={word}>{word} </i>
                  ))}
                </code>
              </button>
              <button
                type="button"
                className="icon-button"
                aria-label={`Start again: ${scenario.title}`}
                title="Start again from now"
                onClick={() => replay(scenario)}
              >
                <Icon name="again" />
              </button>
            </li>
          ))}
        </ul>
      </section>
    </>
  );
}

export function iconOf(channel) {
  if (channel.archived) return "archive";
  if (channel.shared) return "shared";
  return channel.kind === "groups" ? "lock" : "hash";
}

function Place({ icon, here, unread, go, children }) {
  return (
    <li>
      <button type="button" className={`place ${unread ? "unread" : ""}`} aria-current={here ? "page" : undefined} onClick={go}>
        {icon ? <Icon name={icon} /> : <i className="presence" aria-hidden="true" />}
        <span>{children}</span>
        {unread > 0 && <em aria-label={`${unread} new`}>{unread}</em>}
      </button>
    </li>
  );
}

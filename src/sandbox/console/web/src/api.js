// The page's only way out: the console's own API.

import { useEffect, useState } from "react";

/** Does one thing. Throws an Error with a sentence for people where it is refused. */
export async function post(action, body) {
  const reply = await fetch(`/api/${action}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const answer = await reply.json().catch(() => ({}));
  if (!reply.ok) throw new Error(answer.error ?? `The sandbox answered with HTTP ${reply.status}.`);
  return answer;
}

/** What stays as it is: people, scenarios, faults. Null until it is there. */
export function useFacts() {
  const [facts, setFacts] = useState(null);
  useEffect(() => {
    let timer;
    const ask = () =>
      fetch("/api/start")
        .then((reply) => reply.json())
        .then(setFacts)
        .catch(() => (timer = setTimeout(ask, 1000)));
    ask();
    return () => clearTimeout(timer);
  }, []);
  return facts;
}

/** All that one user can see, kept up to date; `lost` while the sandbox does not answer. */
export function useFeed(user) {
  const [feed, setFeed] = useState(null);
  const [lost, setLost] = useState(false);
  useEffect(() => {
    const stop = new AbortController();
    follow(user, stop.signal, setFeed, setLost);
    return () => stop.abort();
  }, [user]);
  return [feed, lost];
}

async function follow(user, signal, setFeed, setLost) {
  let after = "";
  while (!signal.aborted) {
    try {
      const query = new URLSearchParams({ user, after });
      const state = await (await fetch(`/api/state?${query}`, { signal })).json();
      after = state.after;
      setFeed((feed) => merged(feed, state, user));
      setLost(false);
    } catch {
      if (signal.aborted) return;
      setLost(true);
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
}

function merged(feed, state, user) {
  const messages = new Map(state.fresh ? [] : feed.messages);
  const arrived = state.fresh ? [] : state.messages.filter((one) => !one.deleted && !messages.has(one.ts));
  for (const message of state.messages) {
    if (message.deleted) messages.delete(message.ts);
    else messages.set(message.ts, message);
  }
  return { ...state, user, messages, arrived };
}

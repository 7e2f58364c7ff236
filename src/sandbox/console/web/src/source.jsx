// Where a block stands (in a message or in a view), and what pressing something in it does.

import { createContext, useCallback, useContext, useMemo, useState } from "react";
import { useShell } from "./shell.jsx";

const Source = createContext(null);
export const useSource = () => useContext(Source);

/** What the sandbox gives a block without an id. */
export const blockId = (block, index) => block.block_id ?? `b${index}`;

/**
 * `address` names the message or view in the API. `pending` and `failed` are keys of elements, `held` what was
 * chosen or typed in them.
 */
export function SourceOf({ address, blocks, children }) {
  const { act, confirm } = useShell();
  const [held, setHeld] = useState({});
  const [pending, setPending] = useState(null);
  const [failed, setFailed] = useState(null);
  const place = JSON.stringify(address);

  const hold = useCallback((block, action, values) => {
    setHeld((before) => ({ ...before, [block]: { ...before[block], [action]: values } }));
  }, []);

  const press = useCallback(
    async (block, element, values = []) => {
      const key = `${block} ${element.action_id}`;
      if (element.confirm && !(await confirm(element.confirm))) return;
      setPending(key);
      setFailed(null);
      const inputs = { ...collect(blocks, held) };
      const done = await act("press", { ...JSON.parse(place), block, action: element.action_id, values, inputs });
      setPending(null);
      if (!done) setFailed(key);
    },
    [act, confirm, place, blocks, held],
  );

  const value = useMemo(
    () => ({ held, hold, press, pending, failed, inputs: () => collect(blocks, held) }),
    [held, hold, press, pending, failed, blocks],
  );
  return <Source value={value}>{children}</Source>;
}

/** What an element holds before anybody touched it. */
export function initial(element) {
  const one = element.initial_option ?? element.initial_value ?? element.initial_date ?? element.initial_time;
  const id = element.initial_user ?? element.initial_conversation ?? element.initial_channel;
  const many =
    element.initial_options ?? element.initial_users ?? element.initial_conversations ?? element.initial_channels;
  const given = many ?? [one ?? id ?? element.initial_date_time].filter((value) => value !== undefined);
  return given.map((value) => String(value?.value ?? value));
}

const STATELESS = new Set(["button", "overflow", "image", "workflow_button", "feedback_buttons", "icon_button"]);

function collect(blocks, held) {
  const inputs = {};
  blocks.forEach((block, index) => {
    const id = blockId(block, index);
    for (const element of [...(block.elements ?? []), block.element, block.accessory]) {
      if (!element?.action_id || STATELESS.has(element.type)) continue;
      inputs[id] = { ...inputs[id], [element.action_id]: held[id]?.[element.action_id] ?? initial(element) };
    }
  });
  return inputs;
}

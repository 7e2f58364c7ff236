// Interactive elements as the browser's own controls: they bring keyboard, roles and states with them.

import { useId, useLayoutEffect, useRef, useState } from "react";
import { Icon } from "./icons.jsx";
import { initial, useSource } from "./source.jsx";
import { useShell } from "./shell.jsx";
import { plain } from "./text.jsx";

/** One element. `label` is the id of the text that names it; `quiet` ones, in an input block, tell nobody yet. */
export function Element({ element, block, label, quiet = false }) {
  const Drawn = DRAWN[element.type] ?? Unknown;
  return <Drawn element={element} block={block} label={label} quiet={quiet} />;
}

function useElement(element, block) {
  const source = useSource();
  const key = `${block} ${element.action_id}`;
  return {
    values: source.held[block]?.[element.action_id] ?? initial(element),
    hold: (values) => source.hold(block, element.action_id, values),
    press: (values) => source.press(block, element, values),
    pending: source.pending === key,
    failed: source.failed === key,
  };
}

function Failed({ when }) {
  if (!when) return null;
  return (
    <span className="failed" role="img" aria-label="This did not work">
      <Icon name="warn" />
    </span>
  );
}

const safe = (url) => (/^(https?|mailto):/.test(url ?? "") ? url : undefined);

function Button({ element, block }) {
  const { press, pending, failed } = useElement(element, block);
  const common = {
    className: `press ${element.style ?? ""} ${pending ? "pending" : ""}`,
    "aria-label": element.accessibility_label,
    "aria-busy": pending || undefined,
    onClick: () => pending || press([]),
  };
  const href = safe(element.url);
  return (
    <span className="pressable">
      {href ? (
        <a {...common} href={href} target="_blank" rel="noopener noreferrer">
          {plain(element.text)}
        </a>
      ) : (
        <button {...common} type="button">
          {plain(element.text)}
        </button>
      )}
      <Failed when={failed} />
    </span>
  );
}

/** A menu in the top layer, so that nothing cuts it off. */
function Overflow({ element, block }) {
  const { press, pending, failed } = useElement(element, block);
  return (
    <span className="pressable">
      <Menu
        label="More actions"
        pending={pending}
        items={element.options.map((option) => ({
          text: plain(option.text),
          href: safe(option.url),
          choose: () => press([option.value]),
        }))}
      />
      <Failed when={failed} />
    </span>
  );
}

export function Menu({ label, items, pending = false, className = "press" }) {
  const id = useId();
  const button = useRef(null);
  const menu = useRef(null);
  const [open, setOpen] = useState(false);

  const toggled = (event) => {
    const shown = event.newState === "open";
    setOpen(shown);
    if (!shown) return;
    menu.current.querySelector("[role=menuitem]")?.focus();
  };
  useLayoutEffect(() => {
    if (!open) return undefined;
    const follow = () => place(menu.current, button.current.getBoundingClientRect());
    follow();
    window.addEventListener("resize", follow);
    window.addEventListener("scroll", follow, true);
    return () => {
      window.removeEventListener("resize", follow);
      window.removeEventListener("scroll", follow, true);
    };
  }, [open]);
  const move = (event) => {
    const all = [...menu.current.querySelectorAll("[role=menuitem]")];
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Tab") menu.current.hidePopover();
    if (!step) return;
    event.preventDefault();
    all[(all.indexOf(document.activeElement) + step + all.length) % all.length].focus();
  };
  const choose = (item) => () => {
    menu.current.hidePopover();
    button.current.focus();
    item.choose();
  };
  return (
    <>
      <button
        ref={button}
        type="button"
        className={`${className} icon-only ${pending ? "pending" : ""}`}
        aria-label={label}
        aria-haspopup="menu"
        aria-expanded={open}
        aria-busy={pending || undefined}
        popoverTarget={id}
      >
        <Icon name="more" />
      </button>
      <div ref={menu} id={id} popover="auto" role="menu" aria-label={label} className="menu" onToggle={toggled} onKeyDown={move}>
        {items.map((item) => (
          <MenuItem key={item.text} item={item} choose={choose(item)} />
        ))}
      </div>
    </>
  );
}

function MenuItem({ item, choose }) {
  const common = { role: "menuitem", tabIndex: -1, onClick: choose };
  if (!item.href) return <button type="button" {...common}>{item.text}</button>;
  return (
    <a {...common} href={item.href} target="_blank" rel="noopener noreferrer">
      {item.text}
    </a>
  );
}

function place(menu, anchor) {
  const { offsetWidth: width, offsetHeight: height } = menu;
  const below = anchor.bottom + 4 + height < window.innerHeight;
  menu.style.left = `${Math.max(8, Math.min(anchor.left, window.innerWidth - width - 8))}px`;
  menu.style.top = `${below ? anchor.bottom + 4 : Math.max(8, anchor.top - height - 4)}px`;
}

// Menus to choose from

function named(element, label) {
  return label ? { "aria-labelledby": label } : { "aria-label": plain(element.placeholder) || "Choose" };
}

function Select({ element, block, label, quiet, groups }) {
  const { values, hold, press, pending, failed } = useElement(element, block);
  const choose = (event) => {
    hold([event.target.value]);
    if (!quiet) press([event.target.value]);
  };
  return (
    <span className="pressable">
      <select className={`field ${pending ? "pending" : ""}`} value={values[0] ?? ""} onChange={choose} {...named(element, label)}>
        <option value="" disabled={values.length > 0}>
          {plain(element.placeholder) || "Choose"}
        </option>
        {groups.map((group, index) =>
          group.label ? (
            <optgroup key={index} label={plain(group.label)}>
              <Options of={group.options} />
            </optgroup>
          ) : (
            <Options key={index} of={group.options} />
          ),
        )}
      </select>
      <Failed when={failed} />
    </span>
  );
}

const Options = ({ of }) =>
  of.map((option) => (
    <option key={option.value} value={option.value}>
      {plain(option.text)}
    </option>
  ));

const groupsOf = (element) => element.option_groups ?? [{ options: element.options ?? [] }];

function StaticSelect(props) {
  return <Select {...props} groups={groupsOf(props.element)} />;
}

/** Boxes or dots: one of them where `single`. */
function Choices({ element, block, label, quiet, single, groups }) {
  const { values, hold, press } = useElement(element, block);
  const name = useId();
  const change = (value, on) => {
    const rest = single ? [] : values.filter((one) => one !== value);
    const next = on ? [...rest, value] : rest;
    hold(next);
    if (!quiet) press(next);
  };
  return (
    <div className="choices" role={single ? "radiogroup" : "group"} {...named(element, label)}>
      {groups.flatMap((group) => group.options).map((option) => (
        <label key={option.value} className="choice">
          <input
            type={single ? "radio" : "checkbox"}
            name={name}
            checked={values.includes(option.value)}
            onChange={(event) => change(option.value, event.target.checked)}
          />
          <span>
            {plain(option.text)}
            {option.description && <small>{plain(option.description)}</small>}
          </span>
        </label>
      ))}
    </div>
  );
}

const Checkboxes = (props) => <Choices {...props} groups={groupsOf(props.element)} />;
const Radios = (props) => <Choices {...props} single groups={groupsOf(props.element)} />;

/** People and conversations, which the workspace knows. */
function useKnown(kind) {
  const { facts, feed } = useShell();
  const option = (value, text) => ({ value, text: { text, emoji: false } });
  const users = facts.users.map((user) => option(user.id, user.real_name));
  const channels = feed.channels.filter((one) => one.name).map((one) => option(one.id, `#${one.name}`));
  return [{ options: kind.includes("users") ? users : channels }];
}

const KnownSelect = (props) => <Select {...props} groups={useKnown(props.element.type)} />;
const KnownChoices = (props) => <Choices {...props} groups={useKnown(props.element.type)} />;

// Fields to type into

const KINDS = {
  email_text_input: { type: "email", autoComplete: "off" },
  url_text_input: { type: "url" },
  number_input: { type: "number", step: "any" },
  datepicker: { type: "date" },
  timepicker: { type: "time" },
  datetimepicker: { type: "datetime-local" },
};

function Field({ element, block, label, quiet }) {
  const { values, hold, press } = useElement(element, block);
  const when = element.type === "datetimepicker";
  const picks = element.type.endsWith("picker");
  const change = (event) => {
    const typed = event.target.value;
    const next = typed === "" ? [] : [when ? String(Math.round(new Date(typed) / 1000)) : typed];
    hold(next);
    if (picks && !quiet) press(next);
  };
  const common = {
    className: "field",
    value: when && values[0] ? local(values[0]) : (values[0] ?? ""),
    placeholder: plain(element.placeholder),
    maxLength: element.max_length,
    autoFocus: element.focus_on_load,
    onChange: change,
    ...named(element, label),
  };
  if (element.multiline) return <textarea {...common} rows={4} />;
  const enter = (event) => {
    if (event.key !== "Enter" || event.nativeEvent.isComposing || picks) return;
    if (quiet) return;
    event.preventDefault();
    press(values);
  };
  return <input {...common} {...KINDS[element.type]} min={element.min_value} max={element.max_value} onKeyDown={enter} />;
}

function local(seconds) {
  const date = new Date(Number(seconds) * 1000);
  return new Date(date - date.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
}

// Smaller things

function Feedback({ element, block }) {
  const { press, pending } = useElement(element, block);
  return [element.positive_button, element.negative_button].map((button) => (
    <button
      key={button.value}
      type="button"
      className={`press ${pending ? "pending" : ""}`}
      aria-label={button.accessibility_label}
      onClick={() => press([button.value])}
    >
      {plain(button.text)}
    </button>
  ));
}

/** Not drawn here: said, not dropped. */
function Unknown({ element }) {
  return <span className="unknown">{plain(element.text) || plain(element.placeholder) || element.type} (not in the sandbox)</span>;
}

const DRAWN = {
  button: Button,
  workflow_button: Button,
  icon_button: Button,
  feedback_buttons: Feedback,
  overflow: Overflow,
  static_select: StaticSelect,
  users_select: KnownSelect,
  conversations_select: KnownSelect,
  channels_select: KnownSelect,
  multi_static_select: Checkboxes,
  multi_users_select: KnownChoices,
  multi_conversations_select: KnownChoices,
  multi_channels_select: KnownChoices,
  checkboxes: Checkboxes,
  radio_buttons: Radios,
  plain_text_input: Field,
  ...Object.fromEntries(Object.keys(KINDS).map((kind) => [kind, Field])),
};

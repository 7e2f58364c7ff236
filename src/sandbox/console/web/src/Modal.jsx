// A view in a window of its own, and the question before a press.

import { useEffect, useId, useRef, useState } from "react";
import { Blocks } from "./blocks.jsx";
import { Icon } from "./icons.jsx";
import { Dialog, useShell } from "./shell.jsx";
import { SourceOf, blockId, useSource } from "./source.jsx";
import { plain } from "./text.jsx";

/** The topmost view of a stack; the ones below come back when it is closed. */
export function Modal({ stack }) {
  const { act } = useShell();
  const label = useId();
  const { id, view } = stack.at(-1);
  const close = (everything) => act("close", { view: id, everything });
  return (
    <Dialog label={label} onEscape={() => close(false)} className="modal">
      <SourceOf key={id} address={{ view: id }} blocks={view.blocks}>
        <View id={id} view={view} label={label} close={close} below={stack.length > 1} />
      </SourceOf>
    </Dialog>
  );
}

function View({ id, view, label, close, below }) {
  const { act } = useShell();
  const source = useSource();
  const heading = useRef(null);
  const [errors, setErrors] = useState({});
  useEffect(() => {
    // What the app wants to have the focus has it by now; else the title, so that it is read first.
    if (!heading.current.closest("dialog").querySelector("input:focus, textarea:focus")) heading.current.focus();
  }, []);
  const submit = async (event) => {
    event.preventDefault();
    const inputs = source.inputs();
    const missing = left(view.blocks, inputs);
    setErrors(missing);
    if (Object.keys(missing).length) return;
    const answer = await act("submit", { view: id, inputs });
    setErrors(answer?.errors ?? {});
  };
  return (
    <form onSubmit={submit} noValidate>
      <header>
        <h2 id={label} ref={heading} tabIndex={-1}>
          {plain(view.title)}
        </h2>
        <button type="button" className="icon-button" aria-label="Close" onClick={() => close(true)}>
          <Icon name="close" />
        </button>
      </header>
      <div className="modal-body" tabIndex={0} role="group" aria-labelledby={label}>
        <Blocks blocks={view.blocks} errors={errors} />
        {errors[""] && <strong className="input-error">{errors[""]}</strong>}
      </div>
      <footer>
        <button type="button" className="press" onClick={() => close(false)}>
          {plain(view.close) || (below ? "Back" : "Close")}
        </button>
        {view.submit && <button className="press primary">{plain(view.submit)}</button>}
      </footer>
    </form>
  );
}

/** The inputs that must not stay empty, each with what Slack says of it. */
function left(blocks, inputs) {
  const empty = (block, index) => !inputs[blockId(block, index)]?.[block.element?.action_id]?.length;
  return Object.fromEntries(
    blocks.flatMap((block, index) =>
      block.type === "input" && !block.optional && empty(block, index)
        ? [[blockId(block, index), "Please complete this field."]]
        : [],
    ),
  );
}

export function Confirm({ question, answer }) {
  const label = useId();
  return (
    <Dialog label={label} onEscape={() => answer(false)} className="confirm">
      <h2 id={label}>{plain(question.title) || "Are you sure?"}</h2>
      <p>{plain(question.text)}</p>
      <footer>
        <button type="button" className="press" onClick={() => answer(false)}>
          {plain(question.deny) || "Cancel"}
        </button>
        <button type="button" className={`press ${question.style ?? "primary"}`} onClick={() => answer(true)}>
          {plain(question.confirm) || "Yes"}
        </button>
      </footer>
    </Dialog>
  );
}

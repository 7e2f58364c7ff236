// Blocks: the renderer draws what is read; what is pressed, and what the renderer cannot draw, is drawn here.

import { Component, memo, useId, useLayoutEffect, useRef } from "react";
import { Message as Renderer } from "slack-blocks-to-jsx";
import { Element } from "./elements.jsx";
import { Icon } from "./icons.jsx";
import { useLook } from "./shell.jsx";
import { blockId, useSource } from "./source.jsx";
import { Moment, plain, texts } from "./text.jsx";

const RENDERED = new Set(
  ["header", "context", "divider", "rich_text", "section", "table", "markdown", "alert", "plan", "task_card"].concat([
    "card",
    "data_visualization",
  ]),
);

export function Blocks({ blocks, errors = {} }) {
  return runs(blocks).map(({ at, rendered, run }) =>
    rendered ? <Rendered key={at} blocks={run} /> : <Own key={at} block={run[0]} index={at} errors={errors} />,
  );
}

/** Neighbours that the renderer draws are drawn together, apart from those in which `:name:` is no emoji. */
function runs(blocks) {
  const found = [];
  blocks.forEach((block, at) => {
    const rendered = RENDERED.has(block.type) && !OWN[block.type]?.(block);
    const last = found.at(-1);
    if (rendered && last?.rendered && isLiteral(last.run[0]) === isLiteral(block)) last.run.push(block);
    else found.push({ at, rendered, run: [block] });
  });
  return found;
}

const isLiteral = (block) => block.text?.type === "plain_text" && block.text.emoji === false;

function Own({ block, index, errors }) {
  const Drawn = OWN[block.type]?.(block) ?? Plain;
  const id = blockId(block, index);
  return <Drawn block={block} id={id} error={errors[id]} />;
}

// By the renderer

const Rendered = memo(function Rendered({ blocks }) {
  const { theme, data } = useLook();
  const ref = useRef(null);
  useScrollers(ref, blocks);
  return (
    <Net blocks={blocks}>
      <div ref={ref} className="bk">
        <Renderer blocks={blocks} theme={theme} data={data} hooks={isLiteral(blocks[0]) ? LITERAL : HOOKS} withoutWrapper logo="" name="" />
      </div>
    </Net>
  );
}, same);

// Blocks come anew with every state; what has not changed is not drawn again.
function same(before, after) {
  return JSON.stringify(before.blocks) === JSON.stringify(after.blocks);
}

function Link({ href, children }) {
  return (
    <a href={/^(https?|mailto):/.test(href) ? href : undefined} target="_blank" rel="noopener noreferrer">
      {children}
    </a>
  );
}

// The renderer leaves the colons out of what is no emoji, and so makes 030001 of 03:00:01.
const emoji = (found, draw) => {
  const drawn = draw(found);
  return drawn === found.name ? `:${found.name}:` : drawn;
};
const HOOKS = { date: Moment, link: Link, emoji };
const LITERAL = { ...HOOKS, emoji: ({ name }) => `:${name}:` };

/** A table that scrolls sideways can be reached and scrolled with the keyboard. */
function useScrollers(ref, blocks) {
  useLayoutEffect(() => {
    const look = () => ref.current?.querySelectorAll(".slack_blocks_to_jsx__table").forEach(reachable);
    look();
    window.addEventListener("resize", look);
    return () => window.removeEventListener("resize", look);
  }, [ref, blocks]);
}

function reachable(element) {
  const scrolls = element.scrollWidth > element.clientWidth + 1;
  for (const [name, value] of [["tabindex", "0"], ["role", "group"], ["aria-label", "Scrolls sideways"]]) {
    if (scrolls) element.setAttribute(name, value);
    else element.removeAttribute(name);
  }
}

/** A block that breaks the renderer is drawn plainly. */
class Net extends Component {
  state = { broken: false };

  static getDerivedStateFromError() {
    return { broken: true };
  }

  render() {
    if (!this.state.broken) return this.props.children;
    return this.props.blocks.map((block, index) => <Plain key={index} block={block} />);
  }
}

// By ourselves

function Section({ block, id }) {
  const { accessory, ...rest } = block;
  return (
    <div className="with-accessory">
      <div>
        <Rendered blocks={[rest]} />
      </div>
      {accessory.type === "image" ? <Picture block={accessory} /> : <Element element={accessory} block={id} />}
    </div>
  );
}

function Actions({ block, id }) {
  return (
    <div className="actions">
      {block.elements.map((element, index) => (
        <Element key={element.action_id ?? index} element={element} block={id} />
      ))}
    </div>
  );
}

function Input({ block, id, error }) {
  const label = useId();
  return (
    <div className="input">
      <span id={label} className="input-label">
        {plain(block.label)}
        {block.optional && <small> (optional)</small>}
      </span>
      <Element element={block.element} block={id} label={label} quiet={!block.dispatch_action} />
      {block.hint && <small className="hint">{plain(block.hint)}</small>}
      {error && <strong className="input-error">{error}</strong>}
    </div>
  );
}

/** The page fetches nothing from elsewhere, so a picture is what it stands for, and a link. */
function Picture({ block }) {
  const address = block.image_url ?? block.slack_file?.url;
  return (
    <figure className="picture">
      <Icon name="picture" />
      <figcaption>
        {block.title && <b>{plain(block.title)}</b>}
        <span>{block.alt_text}</span>
        {address && <Link href={address}>{address}</Link>}
      </figcaption>
    </figure>
  );
}

function Card({ block, id }) {
  const { actions, hero_image: hero, icon, ...rest } = block;
  return (
    <div className="card">
      {[hero, icon].filter(Boolean).map((image, index) => (
        <Picture key={index} block={image} />
      ))}
      <Rendered blocks={[rest]} />
      {actions && <Actions block={{ elements: actions }} id={id} />}
    </div>
  );
}

function Carousel({ block, id }) {
  return (
    <div className="carousel" role="group" aria-label="Cards" tabIndex={0}>
      {block.elements.map((card, index) => (
        <Card key={index} block={card} id={id} />
      ))}
    </div>
  );
}

function Container({ block }) {
  const title = plain(block.title) || texts(block.rich_text_title ?? {}).join("") || "Details";
  const inside = <Blocks blocks={block.child_blocks ?? []} />;
  if (!block.is_collapsible) {
    return (
      <div className="container">
        <b>{title}</b>
        {inside}
      </div>
    );
  }
  return (
    <details className="container" open={!block.default_collapsed}>
      <summary>{title}</summary>
      {inside}
    </details>
  );
}

function DataTable({ block }) {
  const [head = [], ...rows] = block.rows ?? [];
  const first = block.row_header_column_index ?? -1;
  return (
    <div className="scroller" role="group" aria-label={`Table: ${block.caption ?? ""}`} tabIndex={0}>
      <table className="data">
        <caption>{typeof block.caption === "string" ? block.caption : plain(block.caption)}</caption>
        <thead>
          <tr>
            {head.map((cell, index) => (
              <th key={index} scope="col">
                {cellText(cell)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <tr key={index}>
              {row.map((cell, column) => (column === first ? <th key={column} scope="row">{cellText(cell)}</th> : <td key={column}>{cellText(cell)}</td>))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const cellText = (cell) => String(cell.text ?? cell.value ?? texts(cell).join(""));

/** Its words, and the whole of it on demand: nothing is dropped. */
export function Plain({ block, id }) {
  const source = useSource();
  const elements = [...(block.elements ?? []), block.accessory].filter((one) => one?.action_id);
  return (
    <div className="plain">
      <small>{block.type}, drawn plainly</small>
      {texts(block).map((text, index) => (
        <p key={index}>{text}</p>
      ))}
      {source && elements.map((element) => <Element key={element.action_id} element={element} block={id} />)}
      <details>
        <summary>JSON of this block</summary>
        <pre tabIndex={0}>{JSON.stringify(block, null, 2)}</pre>
      </details>
    </div>
  );
}

// Which blocks the renderer is not asked for: null where it is.
const OWN = {
  section: (block) => (block.accessory ? Section : null),
  card: (block) => (block.actions || block.hero_image || block.icon ? Card : null),
  actions: () => Actions,
  context_actions: () => Actions,
  input: () => Input,
  image: () => Picture,
  carousel: () => Carousel,
  container: () => Container,
  data_table: () => DataTable,
};

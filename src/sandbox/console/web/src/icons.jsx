const PATHS = {
  hash: "M9 4 7 20M17 4l-2 16M4 9h17M3 15h17",
  lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  shared: "M8 8a3 3 0 1 0 0-.1M16 19a3 3 0 1 0 0-.1M10 10l4.5 6.5",
  archive: "M4 5h16v4H4zM6 9v10h12V9M10 13h4",
  menu: "M4 7h16M4 12h16M4 17h16",
  sliders: "M4 7h9M17 7h3M4 17h3M11 17h9M15 4.5v5M9 14.5v5",
  close: "M6 6l12 12M18 6 6 18",
  eye: "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 9a3 3 0 1 0 .01 0",
  phone: "M8 2.5h8a1.5 1.5 0 0 1 1.5 1.5v16a1.5 1.5 0 0 1-1.5 1.5H8A1.5 1.5 0 0 1 6.5 20V4A1.5 1.5 0 0 1 8 2.5zM11 18.5h2",
  reply: "M10 7 4 12l6 5v-3.5c5 0 8 1.2 10 4.5-.6-5.5-4-9-10-9z",
  braces: "M9 4c-3 0-2 3-2 5s-1 3-3 3c2 0 3 1 3 3s-1 5 2 5M15 4c3 0 2 3 2 5s1 3 3 3c-2 0-3 1-3 3s1 5-2 5",
  copy: "M9 9h11v11H9zM15 9V4H4v11h5",
  send: "M4 12 20 4l-5 16-3.5-6.5zM11.5 13.5 20 4",
  again: "M20 12a8 8 0 1 1-2.5-5.800M20 3.5v4.5h-4.5",
  warn: "M12 4 22 20H2zM12 10v4.5M12 17.200v.1",
  more: "M6 12h.01M12 12h.01M18 12h.01",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.5z",
  sun: "M12 8a4 4 0 1 0 .01 0M12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.300 5.300l1.400 1.400M17.300 17.300l1.400 1.400M5.300 18.700l1.400-1.400M17.300 6.700l1.400-1.400",
  down: "M12 5v14M6 13l6 6 6-6",
  picture: "M4 5h16v14H4zM4 16l5-5 4 4 2-2 5 4M15.5 9.5h.01",
};

/** Decoration: what it means is said in words beside it, or in the label of its button. */
export function Icon({ name }) {
  return (
    <svg className={`icon icon-${name}`} viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

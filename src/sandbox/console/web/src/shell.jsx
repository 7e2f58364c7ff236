// What every part of the page may use: doing things, telling of errors, asking "are you sure", names, the theme.

import { createContext, useContext, useEffect, useLayoutEffect, useRef, useState } from "react";

export const Shell = createContext(null);
export const useShell = () => useContext(Shell);

/** What the renderer needs: it changes seldom, so that messages are not drawn anew with every state. */
export const Look = createContext(null);
export const useLook = () => useContext(Look);

const ERRORS = {
  operation_timeout: "The app did not answer within 3 seconds. It may still be at work.",
  dispatch_failed: "The app could not be reached.",
  http_client_error: "The app refused the request (HTTP 4xx).",
  http_service_error: "The app failed on the request (HTTP 5xx).",
};

/** Slack's code, and what it means. */
export const explained = (code) => (ERRORS[code] ? `${code}: ${ERRORS[code]}` : code);

const wide = (query) => window.matchMedia(query);

export function useMedia(query) {
  const [matches, setMatches] = useState(() => wide(query).matches);
  useEffect(() => {
    const list = wide(query);
    const listen = () => setMatches(list.matches);
    listen();
    list.addEventListener("change", listen);
    return () => list.removeEventListener("change", listen);
  }, [query]);
  return matches;
}

/** The system's choice until somebody makes one here. */
export function useTheme() {
  const dark = useMedia("(prefers-color-scheme: dark)");
  const [chosen, setChosen] = useState(() => localStorage.getItem("theme"));
  const theme = chosen ?? (dark ? "dark" : "light");
  useLayoutEffect(() => {
    document.documentElement.dataset.theme = theme;
  }, [theme]);
  const toggle = () => {
    const next = theme === "dark" ? "light" : "dark";
    localStorage.setItem("theme", next);
    setChosen(next);
  };
  return [theme, toggle];
}

/** A native modal dialog: the browser keeps the focus in it and gives it back. Escape calls `onEscape`. */
export function Dialog({ label, onEscape, className = "", children }) {
  const ref = useRef(null);
  useLayoutEffect(() => {
    const dialog = ref.current;
    dialog.showModal();
    return () => dialog.close();
  }, []);
  const cancel = (event) => {
    event.preventDefault();
    onEscape();
  };
  return (
    <dialog ref={ref} className={`dialog ${className}`} aria-labelledby={label} onCancel={cancel}>
      {children}
    </dialog>
  );
}

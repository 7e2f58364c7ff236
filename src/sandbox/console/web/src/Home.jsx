import { Blocks } from "./blocks.jsx";
import { useShell } from "./shell.jsx";
import { SourceOf } from "./source.jsx";

/** The bot's Home tab, as it has published it for this person. */
export function Home() {
  const { feed } = useShell();
  return (
    <section id="home" className="messages home" aria-labelledby="home-title" tabIndex={0}>
      <h2 id="home-title" className="sr-only">
        Home
      </h2>
      {feed.home ? (
        <SourceOf address={{ view: feed.home.id }} blocks={feed.home.view.blocks}>
          <Blocks blocks={feed.home.view.blocks} />
        </SourceOf>
      ) : (
        <p className="empty">Cloud Assistant has published nothing here for you.</p>
      )}
    </section>
  );
}

"""The catalogues: nothing lacks a translation, nothing is stale, what goes into a text goes into its translation."""

from __future__ import annotations

import gettext
import importlib.machinery
import importlib.util
import re
import string
from pathlib import Path

import pytest
from babel.messages.catalog import Message

from bot import languages
from bot.core import blocks as b
from bot.core import buttons, diagnosis, modal, reasons, wording
from bot.core.texts import _, counted, pgettext, speaking

TOP = Path(__file__).parent.parent
OTHERS = [language for language in languages.LANGUAGES if language != "en"]
PO = {one: TOP / "src" / "bot" / "locale" / one / "LC_MESSAGES" / "bot.po" for one in OTHERS}
_CHINESE = r"[\u3400-\u9fff]"


def _tool():
    loader = importlib.machinery.SourceFileLoader("texts", str(TOP / "deploy" / "texts"))
    spec = importlib.util.spec_from_loader("texts", loader)
    assert spec
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


TOOL = _tool()
READ = {one: TOOL.read(path) for one, path in PO.items()}
MESSAGES = [(one, message) for one, catalog in READ.items() for message in catalog if message.id]


def _texts(said) -> tuple[str, ...]:
    return tuple(said) if isinstance(said, list | tuple) else (said or "",)


def _fields(text: str) -> set[str]:
    return {field for _before, field, _spec, _conversion in string.Formatter().parse(text) if field is not None}


def _ids(catalog) -> set[tuple[str | None, tuple[str, ...]]]:
    return {(message.context, _texts(message.id)) for message in catalog if message.id}


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_of_the_code_is_in_the_catalogue_and_nothing_else(language: str) -> None:
    assert _ids(READ[language]) == _ids(TOOL.template()), "run: make texts"
    assert not READ[language].obsolete


@pytest.mark.parametrize("language", OTHERS)
def test_what_is_compiled_is_what_is_written(language: str) -> None:
    assert PO[language].with_suffix(".mo").read_bytes() == TOOL.compiled(READ[language]), "run: make texts"
    assert PO[language].read_bytes() == TOOL.written(READ[language]), "run: make texts"


def test_no_text_lacks_a_translation() -> None:
    assert [(one, message.id) for one, message in MESSAGES if not all(map(str.strip, _texts(message.string)))] == []
    assert [(one, message.id) for one, message in MESSAGES if message.fuzzy] == []


def _wrong_fields(message: Message) -> bool:
    wanted = set.union(*map(_fields, _texts(message.id)))
    return any(_fields(said) != wanted for said in _texts(message.string))


def test_what_goes_into_a_text_goes_into_its_translation() -> None:
    with_fields = [(one, message) for one, message in MESSAGES if "python-brace-format" in message.flags]
    assert with_fields
    assert [(one, message.id) for one, message in with_fields if _wrong_fields(message)] == []


def test_code_and_addresses_stay_as_they_are() -> None:
    def code(texts: tuple[str, ...]) -> set[str]:
        return {found for text in texts for found in re.findall(r"`[^`]+`|[A-Z]{2,}_[A-Z_]+|\b[it]-[a-z0-9]{5,}", text)}

    changed = [message.id for _one, message in MESSAGES if code(_texts(message.id)) != code(_texts(message.string))]
    assert changed == []


def test_chinese_has_its_own_punctuation_and_a_space_beside_latin_words() -> None:
    wrong = [
        rf"{_CHINESE}[,;:!?.](?:\s|$|{_CHINESE})",  # half-width punctuation after Chinese
        rf"{_CHINESE}\(|\){_CHINESE}",
        r"[，。：；、（）“”] (?![·`])|(?<![·`]) [，。：；、（）]",  # full-width punctuation brings its own space
        rf"{_CHINESE}[A-Za-z0-9]|[A-Za-z0-9]{_CHINESE}",
        r"！",
    ]
    said = [text for one, message in MESSAGES if one == "zh" for text in _texts(message.string)]
    assert [(text, found[0]) for text in said for form in wrong if (found := re.search(form, text))] == []


def test_a_text_is_said_in_the_language_of_now() -> None:
    chinese = languages.catalogue("zh")
    assert _("no space left") == "no space left"
    with speaking(chinese):
        assert _("no space left") == "磁盘空间不足"
        assert counted("{count} run", "{count} runs", 1_200) == "1,200 次执行"
        assert pgettext("between things", ", ") == "、"
        with speaking(languages.catalogue("en")):
            assert counted("{count} run", "{count} runs", 1) == "1 run"
        assert _("a text that no catalogue has") == "a text that no catalogue has"
    assert counted("{count} run", "{count} runs", 1_200) == "1,200 runs"


@pytest.mark.parametrize(
    ("locale", "language"),
    [("zh-CN", "zh"), ("zh-TW", "zh"), ("en-GB", "en"), ("de-DE", "zh"), ("", "zh"), (None, "zh")],
)
def test_a_person_is_spoken_to_in_their_language_where_there_is_a_catalogue(locale: str | None, language: str) -> None:
    assert languages.language_of(locale, "zh") == language


@pytest.mark.parametrize("language", languages.LANGUAGES)
def test_no_text_overruns_its_place(language: str) -> None:
    """Slack's limits of buttons, menus, modals and charts, and ours of what stands in line one."""
    with speaking(languages.catalogue(language)):
        view, chart = modal.loading(), _("Outcomes on instances, last 24 h")
        most = {
            75: [_(text) for text in (*(act.text for act in buttons.ACTS.values()), *dict(buttons.MUTES.values()))],
            24: [view["title"]["text"], view["close"]["text"], _("Done")],
            50: [chart, _("instances")],
            20: [_(word) for word in wording.WORDS.values()],
            100: [diagnosis.looks_like(row.cause) for row in reasons.REASONS],
        }
        assert [(limit, said) for limit, texts in most.items() for said in texts if b.width(said) > limit] == []


def test_an_f_string_where_a_text_should_be_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bot").mkdir()
    (tmp_path / "bot" / "one.py").write_text('raise NotFound(f"No run {one}.")\n')
    monkeypatch.setattr(TOOL, "SRC", tmp_path)
    with pytest.raises(TOOL.Bypassed, match=r"one\.py:1"):
        list(TOOL.calls())


def test_new_texts_enter_a_catalogue_without_a_translation_and_old_ones_leave_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    po = tmp_path / "bot" / "locale" / "zh" / "LC_MESSAGES" / "bot.po"
    po.parent.mkdir(parents=True)
    po.write_bytes(PO["zh"].read_bytes())
    (tmp_path / "bot" / "one.py").write_text('_("no space left"); counted("{count} leaf", "{count} leaves", 2)\n')
    monkeypatch.setattr(TOOL, "SRC", tmp_path)
    monkeypatch.setattr(TOOL, "LOCALE", tmp_path / "bot" / "locale")
    monkeypatch.setattr(TOOL, "tables", list)
    TOOL.main()
    assert "2 texts, 1 without a translation" in capsys.readouterr().out
    assert [message.id for message in TOOL.read(po) if message.id] == [
        "no space left",
        ("{count} leaf", "{count} leaves"),
    ]
    with po.with_suffix(".mo").open("rb") as file:
        assert gettext.GNUTranslations(file).gettext("no space left") == "磁盘空间不足"

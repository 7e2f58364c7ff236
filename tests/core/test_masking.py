"""Secrets masked, and plain words left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core import reports
from bot.core.masking import MASK, Masked, mask, masked_line
from bot.core.texts import speaking
from bot.languages import LANGUAGES, catalogue
from core.samples import failed, summary_of

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcDEF_123-456"
KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("id LTAI5tAbCdEfGhIjKlMnOpQr.", f"id {MASK}."),
        ("STS.NTxxyyzz112233", MASK),
        (f"token CAIS{'a1B2' * 20}==", f"token {MASK}"),
        ("AKIAIOSFODNN7EXAMPLE ASIAIOSFODNN7EXAMPLE", f"{MASK} {MASK}"),
        ("xoxb-123456789012-abcdef", MASK),
        ("xoxe.xoxp-1-Mi0yLTEyMzQ1", MASK),
        ("xapp-1-A012-345-abc", MASK),
        (f"ghp_{'a1' * 18} github_pat_{'a_' * 20} glpat-{'x1' * 10}", f"{MASK} {MASK} {MASK}"),
        (f"jwt {JWT}", f"jwt {MASK}"),
        (f"{KEY}\nafter", f"{MASK}\nafter"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\ncut off", MASK),
        ("Authorization: Bearer abcdef123456.xyz", f"Authorization: Bearer {MASK}"),
        ("authorization: basic dXNlcjpwYXNzd29yZA==", f"authorization: basic {MASK}"),
        ("https://user:s3cret@host/x", f"https://user:{MASK}@host/x"),
        ("password=hunter2", f"password={MASK}"),
        ("PGPASSWORD = 'two words'", f"PGPASSWORD = '{MASK}'"),
        ('"AccessKeySecret": "abcdef", "x": 1', f'"AccessKeySecret": "{MASK}", "x": 1'),
        ("access_key_id=abcd1234&x=1", f"access_key_id={MASK}&x=1"),
        ("db.secret-key: abcd1234ef", f"db.secret-key: {MASK}"),
        ("mysql --password hunter22 --user x", f"mysql --password {MASK} --user x"),
        ("curl --auth-token 'a b c d'", f"curl --auth-token '{MASK}'"),
    ],
)
def test_masked(text: str, masked: str) -> None:
    found, count = mask(text)
    assert (found, count) == (masked, masked.count(MASK))
    assert mask(found) == (found, 0)


@pytest.mark.parametrize(
    "text",
    [
        "PWD=/root OLDPWD=/home",
        "token: expired",
        "password: incorrect",
        "password is required",
        "password=$DB_PASSWORD password=%PASS% password=*** password=none token=abc",
        "https://user:$PASS@host http://host:8080/a@b",
        "--password --force",
        "LTAI is a prefix; STS. ends a sentence; xoxb- too; eyJ.eyJ.x",
        "authorization: basic auth",
        "the bearer came",
        f'password="{MASK}"',
    ],
)
def test_left_alone(text: str) -> None:
    assert mask(text) == (text, 0)


@given(st.text())
def test_any_text(text: str) -> None:
    masked, count = mask(text)
    assert masked.count(MASK) >= count


def test_masked_once() -> None:
    masked = Masked()
    assert masked.read("password=hunter2") is masked.read("password=hunter2")


def test_what_is_masked_in_one_text_is_masked_in_all() -> None:
    masked = Masked()
    for text in ("password=hunter2x", '{"db_password": "S3cr!et"}', "token=running"):
        masked.learn(text)
    assert masked.read("login with hunter2x, then -phunter2xy, S3cr!et; running") == (
        f"login with {MASK}, then -p{MASK}y, {MASK}; running",
        3,
    )


def test_a_short_secret_is_masked_elsewhere_only_as_a_word_and_a_common_word_not_at_all() -> None:
    masked = Masked()
    masked.learn("password=ab12 pwd=root passwd=abcd")
    assert masked.read("ab12 cab12d root abcd")[0] == f"{MASK} cab12d root abcd"


def test_a_secret_learnt_later_is_masked_from_then_on() -> None:
    masked = Masked()
    assert masked.read("hunter2x")[1] == 0
    masked.learn("password=hunter2x")
    assert masked.read("hunter2x") == (MASK, 1)


secret = st.text(st.characters(codec="ascii", categories=["Lu", "Ll", "Nd"]), min_size=8, max_size=20).map(
    "{}7z".format
)
said = st.sampled_from(
    [
        "password={}",
        '"password": "{}"',
        "mysql -p{} x",
        "https://u:{}@host/",
        "--password '{}'",
        "machine h login u password {}",
    ]
)


@given(
    st.lists(st.tuples(said, secret), min_size=1, max_size=3), st.lists(st.text(max_size=10), min_size=1, max_size=4)
)
def test_nothing_masked_in_one_place_is_let_through_in_another(found: list[tuple[str, str]], around: list[str]) -> None:
    masked = Masked()
    texts = [said.format(one) for said, one in found]
    bare = [f"{words}{one}{words}" for words in around for _, one in found]
    for text in (*texts, *bare):
        masked.learn(text)
    shown = [masked.read(text)[0] for text in (*texts, *bare)]
    assert not [one for _, one in found if any(one in text for text in shown)]
    assert [masked.read(text) for text in shown] == [(text, 0) for text in shown]


def test_many_secrets_are_looked_for_at_once() -> None:
    masked = Masked()
    secrets = [f"{number:04d}xyz{number * 7919 % 10_007:05d}" for number in range(500)]
    for one in secrets:
        masked.learn(f"password={one}")
    assert masked.read(f"a {secrets[17]} b {secrets[403]}") == (f"a {MASK} b {MASK}", 2)


def test_letters_that_become_two_in_lower_case_keep_secrets_in_their_place() -> None:
    assert mask("İİ curl -u admin:hunter2x https://x")[0] == f"İİ curl -u admin:{MASK} https://x"


PIECES = [
    "password=", "password: a1", 'password="', "--secret-", "--a-", "-", "access_key", "token", "secret ", '"', "://a:",
    "a://b:c", "bearer ", "Bearer \t", "authorization: basic ", "-----BEGIN PRIVATE KEY-----", "-----BEGIN A ",
    "-----BEGIN RSA PRIVATE KEY-----\n-----END A ", "eyJaaaaaaaaa-", "eyJaaaaaaaa.eyJaaaaaaaa ", "xoxb-", "CAI+",
    "LTAI", "STS.", "ghp_", "github_pat_", "glpat-", "AKIA", "xapp", " ", "a", "中", "key:   ", "key=''",
]  # fmt: skip


@pytest.mark.parametrize(
    "piece", [*PIECES, "-----BEGIN " + "A" * 24_000, "-----BEGIN " + "A " * 12_000, "--" + "a" * 24_000]
)
def test_24_kb_of_anything_are_masked_once_and_for_all(piece: str) -> None:
    masked, _ = mask((piece * 24_000)[:24_000])
    assert mask(masked) == (masked, 0)


CHINESE = "[已脱敏]"


@pytest.mark.parametrize(
    "text",
    [
        "password={}", "login password: '{}' refused", "https://bot:{}@git.example.com/a.git", "curl -u bot:{} https://x",
        "export DB_PASSWORD={}", "--token {}", "Authorization: Bearer {}",
    ],
)  # fmt: skip
def test_what_hides_a_secret_is_in_the_readers_language_and_is_not_hidden_again(text: str) -> None:
    secret = "Tr0ub4dor3xKcd9Zq"
    english = Masked().shown(text.format(secret))
    assert english == (text.format(MASK), 1)
    with speaking(catalogue("zh")):
        masked = Masked()
        shown, count = masked.shown(text.format(secret))
        assert (shown, count) == (text.format(CHINESE), 1)
        assert masked.shown(shown) == (shown, 0)
        assert Masked().shown(shown) == (shown, 0)
        assert masked_line(shown) == masked_line(text.format(secret)) == shown
    assert masked_line(shown).count("[") == 1  # in another language later
    assert masked_line(text.format(secret)) == text.format(MASK)


def test_outputs_fold_and_notices_compare_alike_in_every_language() -> None:
    rows = [failed("i-1", "password=hunter2x"), failed("i-2", "password=hunter3y")]
    told = {}
    for language in LANGUAGES:
        with speaking(catalogue(language)):
            summary = summary_of(rows)
            assert len(summary.groups) == 1
            told[language] = reports.cause(summary)
    assert len(set(told.values())) == 1

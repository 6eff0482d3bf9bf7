"""`taurus-mock env`: what it prints for each client, and what it refuses. tests/clients uses what it prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mockserver.cli import main
from mockserver.pointing import CLIENTS, instructions

if TYPE_CHECKING:
    from pathlib import Path

URL = "http://127.0.0.1:9000"
PROJECT_ID = "0123456789abcdef0123456789abcdef"


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["env", *arguments])
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


@pytest.mark.parametrize("client", [*CLIENTS, "terraform"])
def test_each_client_is_told_the_url_and_nothing_is_left_unfilled(client: str) -> None:
    text = instructions(client, URL, PROJECT_ID)
    assert URL in text
    assert PROJECT_ID in text
    assert text.endswith("\n")
    assert client == "terraform" or "{" not in text


def test_a_posix_shell_gets_lines_that_it_can_evaluate(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = printed(capsys, "python", "--url", URL, "--project-id", PROJECT_ID)
    assert (code, err) == (0, "")
    lines = [line for line in out.splitlines() if not line.startswith("#")]
    assert lines == [
        "export HUAWEICLOUD_SDK_AK='any-ak'",
        "export HUAWEICLOUD_SDK_SK='any-sk'",
        f"export HUAWEICLOUD_SDK_PROJECT_ID='{PROJECT_ID}'",
        f"export HUAWEICLOUD_SDK_REGION_GAUSSDB_CN_NORTH_4='{URL}'",
        f"export HUAWEICLOUD_SDK_IAM_ENDPOINT='{URL}'",
        "export NO_PROXY='127.0.0.1'",
    ]


def test_powershell_gets_lines_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = printed(capsys, "curl", "--shell", "powershell")
    assert "$env:MOCK_URL = 'http://127.0.0.1:8080'" in out.splitlines()


def test_the_port_of_a_running_mock_is_read_from_its_port_file(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "port.txt"
    file.write_text("4711\n", "utf-8")
    _, out, _ = printed(capsys, "terraform", "--port-file", str(file))
    assert '  auth_url = "http://127.0.0.1:4711/v3"\n' in out


@pytest.mark.parametrize("url", ["127.0.0.1:8080", "ftp://x", "http://127.0.0.1:8080/mock", "http://x'y", "http://"])
def test_what_is_no_base_url_is_refused(capsys: pytest.CaptureFixture[str], url: str) -> None:
    code, out, err = printed(capsys, "curl", "--url", url)
    assert (code, out) == (2, "")
    assert err == (
        f"taurus-mock: error: --url: expected http://HOST:PORT without a path, which SDKs would drop, got {url!r}\n"
    )


def test_a_slash_at_the_end_of_the_url_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    """With it Node's signature would be wrong."""
    _, out, _ = printed(capsys, "node", "--url", f"{URL}/")
    assert f'.withEndpoint("{URL}")' in out


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--url", URL, "--port-file", "x"], ["--url and --port-file: give one of them"]),
        (["--port-file", "no-such-file"], ["--port-file no-such-file", "is the mock running?"]),
        (["--project-id", "a'b"], ["--project-id: expected 32 letters and digits"]),
    ],
    ids=["two-addresses", "no-port-file", "project-id"],
)
def test_other_mistakes_are_named(capsys: pytest.CaptureFixture[str], arguments: list[str], parts: list[str]) -> None:
    code, out, err = printed(capsys, "curl", *arguments)
    assert (code, out) == (2, "")
    assert [part for part in parts if part not in err] == []


def test_an_unknown_client_is_refused_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = printed(capsys, "ruby")
    assert code == 2
    assert "'python', 'node', 'go', 'java', 'curl', 'terraform'" in err

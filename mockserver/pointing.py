"""`taurus-mock env`: what points each official client at a running mock, for a shell or for Terraform."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import click

from mockserver.errors import TaurusMockError

SHELLS = {"sh": "export {}='{}'", "powershell": "$env:{} = '{}'"}
"""How a shell sets a variable."""
REGION = "cn-north-4"
PROJECT_ID = "054e292c9880d4992f02c0196d3ea468"
"""The project of the region, which is that of the documented example."""


@dataclass(frozen=True, slots=True)
class Client:
    """One client: its variables and remarks for its user, with {url}, {host}, {region} and {project_id} in them."""

    variables: tuple[tuple[str, str], ...]
    remarks: tuple[str, ...] = ()


_KEYS = (("HUAWEICLOUD_SDK_AK", "any-ak"), ("HUAWEICLOUD_SDK_SK", "any-sk"))
_PROJECT = ("HUAWEICLOUD_SDK_PROJECT_ID", "{project_id}")
_SERVICE = ("HUAWEICLOUD_SDK_REGION_GAUSSDB_{REGION}", "{url}")
_IDENTITY = ("HUAWEICLOUD_SDK_IAM_ENDPOINT", "{url}")
_NO_PROXY = ("NO_PROXY", "{host}")
_ANY_KEYS = "Any keys will do, unless the mock was started with --ak and --sk: then set those."

CLIENTS: dict[str, Client] = {
    "python": Client(
        (*_KEYS, _PROJECT, _SERVICE, _IDENTITY, _NO_PROXY),
        (
            _ANY_KEYS,
            'Then .with_region(GaussDBRegion.value_of("{region}")) leads to the mock.',
            "Without the project id the SDK looks it up, which works as well.",
        ),
    ),
    "node": Client(
        (*_KEYS, _PROJECT, _IDENTITY),
        (_ANY_KEYS, 'The endpoint goes into the code, without a slash at the end: .withEndpoint("{url}")'),
    ),
    "go": Client(
        (*_KEYS, _PROJECT, _SERVICE),
        (
            _ANY_KEYS,
            'Then WithRegion(region.ValueOf("{region}")) leads to the mock. To look up the project, the code needs',
            'WithIamEndpointOverride("{url}"), since the variable takes https only.',
        ),
    ),
    "java": Client(
        (*_KEYS, _PROJECT, _SERVICE, _IDENTITY),
        (_ANY_KEYS, 'Then .withRegion(GaussDBRegion.valueOf("{region}")) leads to the mock.'),
    ),
    "curl": Client(
        (("MOCK_URL", "{url}"), ("MOCK_PROJECT_ID", "{project_id}"), ("MOCK_TOKEN", "any")),
        (
            "Any token will do, unless the mock was started with --token or --user.",
            'curl -H "X-Auth-Token: $MOCK_TOKEN" "$MOCK_URL/v3/$MOCK_PROJECT_ID/instances"',
        ),
    ),
}  # fmt: skip
_TERRAFORM = """\
# {any_keys}
provider "huaweicloud" {{
  region     = "{region}"
  access_key = "any-ak"
  secret_key = "any-sk"
  project_id = "{project_id}"

  auth_url = "{url}/v3"
  endpoints = {{
    gaussdb = "{url}"
    iam     = "{url}"
  }}
  skip_check_website_type = true # asks the billing service, which the mock does not have
  max_retries             = 0    # the provider would wait minutes before it tries again
}}
"""


@click.command()
@click.argument("client", type=click.Choice([*CLIENTS, "terraform"]))
@click.option("--url", metavar="URL", help="Base URL of the mock.  [default: http://127.0.0.1:8080]")
@click.option("--port-file", metavar="PATH", help="The mock's --port-file, instead of its URL.")
@click.option(
    "--project-id", metavar="ID", default=PROJECT_ID, help="Project to call.  [default: the documented example's]"
)
@click.option("--shell", type=click.Choice(list(SHELLS)), default="sh", help="For which shell.  [default: sh]")
def env(client: str, url: str | None, port_file: str | None, project_id: str, shell: str) -> None:
    """Print what points a CLIENT at a running mock: variables for a shell, or a provider block for Terraform.

    In a POSIX shell: eval "$(taurus-mock env python)".
    """
    if not re.fullmatch("[0-9A-Za-z]{32}", project_id):
        raise TaurusMockError(f"--project-id: expected 32 letters and digits, got {project_id!r}")
    click.echo(instructions(client, _url_of(url, port_file), project_id, shell), nl=False)


def _url_of(url: str | None, port_file: str | None) -> str:
    """The base URL that the user means; raises TaurusMockError for what is none."""
    if port_file is not None:
        if url is not None:
            raise TaurusMockError("--url and --port-file: give one of them")
        try:
            url = f"http://127.0.0.1:{int(Path(port_file).read_text('utf-8'))}"
        except (OSError, ValueError) as error:
            raise TaurusMockError(
                f"--port-file {port_file}: no port number in it; is the mock running? ({error})"
            ) from None
    given = (url or "http://127.0.0.1:8080").rstrip("/")
    if not re.fullmatch(r"https?://[^\s/'\"]+", given):
        raise TaurusMockError(f"--url: expected http://HOST:PORT without a path, which SDKs would drop, got {url!r}")
    return given


def instructions(name: str, url: str, project_id: str, shell: str = "sh") -> str:
    """The text that points a client, one of CLIENTS or `terraform`, at the mock with a base URL."""
    values = {
        "url": url,
        "host": url.partition("://")[2].rpartition(":")[0] or url,
        "region": REGION,
        "REGION": REGION.upper().replace("-", "_"),
        "project_id": project_id,
    }
    if name == "terraform":
        return _TERRAFORM.format(any_keys=_ANY_KEYS, **values)
    client, form = CLIENTS[name], SHELLS[shell]
    lines = [form.format(variable.format(**values), value.format(**values)) for variable, value in client.variables]
    return "\n".join([*(f"# {remark.format(**values)}" for remark in client.remarks), *lines, ""])

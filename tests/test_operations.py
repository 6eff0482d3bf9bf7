"""Operations: each document has its module, and what the module decides."""

from __future__ import annotations

from pathlib import Path
from re import sub

import pytest
from support import batch
from test_resources import copy_documents, edit

from mockserver import operations
from mockserver.contract import Contract, load_contract
from mockserver.engine import load_engine
from mockserver.errors import ResourceError
from mockserver.model import Reply
from mockserver.operations import load_decide
from mockserver.settings import Settings


@pytest.fixture(scope="module")
def contract() -> Contract:
    return load_contract(Settings())


def test_documents_and_modules_of_operations_come_in_pairs(contract: Contract) -> None:
    modules = {path.stem for path in Path(operations.__file__).parent.glob("*.py")} - {"__init__"}
    assert {sub(r"(?<!^)(?=[A-Z])", "_", operation.id).lower() for operation in contract.operations} == modules
    for operation in contract.operations:
        assert callable(load_decide(operation.id))


@pytest.mark.parametrize(
    ("operation_id", "module"),
    [
        ("CheckKernelUpgrade", "check_kernel_upgrade"),
        ("ListGaussMySqlInstances", "list_gauss_my_sql_instances"),
        ("ping", "ping"),
    ],
)
def test_an_operation_without_a_module_is_refused_with_the_name_of_the_module(operation_id: str, module: str) -> None:
    with pytest.raises(ResourceError) as caught:
        load_decide(operation_id)
    assert str(caught.value) == (
        f"operation {operation_id} has a document under schemas/ but no module mockserver.operations.{module}"
    )


def test_an_operation_document_without_a_module_is_refused_at_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = copy_documents(tmp_path, monkeypatch) / "schemas" / "operations" / "batch-upgrade-databases.json"
    edit(path, "/post/operationId", "BatchDowngradeDatabases")
    with pytest.raises(ResourceError, match=r"no module .*batch_downgrade_databases"):
        load_engine(Settings())


@pytest.mark.parametrize("body", [batch(), batch(delay="true"), batch(*[{}] * 3)], ids=["one", "delayed", "many"])
def test_an_upgrade_is_accepted_with_the_words_that_terraform_demands(contract: Contract, body: object) -> None:
    (operation,) = contract.operations
    assert load_decide("BatchUpgradeDatabases")(operation, body) == Reply(200, b'{"resp":"success"}')

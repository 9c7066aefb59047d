"""Sites: the shipped ones, and files of others, whose every fault is told with its place."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from ratemlx.cluster.slurm_site import KEYS, MAX_BYTES, Site, load_site, parse_site, site_names
from ratemlx.errors import ClusterError

FULL = """\
description: The cluster
  of our institute
account: 0123
partition: gpu
gpus_per_node: 8
gpu_request: gres
gpu_type: h100
gpu_binding: rank
tasks_per_node: 8
cpus_per_task: 14
mpi: pmix
modules: [GCC/13, CUDA]
container_command: singularity
environment: {UCX_TLS: "rc,cuda", PSM2_CUDA: 1}
sbatch: {qos: high, exclusive: }
max_requeues: 3
"""


def test_shipped_sites_can_be_read() -> None:
    assert site_names() == ("cpu", "generic", "juwels-booster")
    assert all(load_site(name).description for name in site_names())
    booster = load_site("juwels-booster")
    assert (booster.partition, booster.gpus_per_node, booster.gpu_request) == ("booster", 4, "gres")
    assert load_site("generic") == Site(name="generic", description="Any Slurm")


def test_every_key_is_a_field_and_is_read(tmp_path: Path) -> None:
    assert set(KEYS) == {field.name for field in dataclasses.fields(Site)} - {"name"}
    file = tmp_path / "ours.yaml"
    file.write_text(FULL, encoding="utf-8")
    assert load_site(str(file)) == Site(
        name=str(file),
        description="The cluster of our institute",
        account="0123",
        partition="gpu",
        gpus_per_node=8,
        gpu_request="gres",
        gpu_type="h100",
        gpu_binding="rank",
        tasks_per_node=8,
        cpus_per_task=14,
        mpi="pmix",
        modules=("GCC/13", "CUDA"),
        container_command="singularity",
        environment={"UCX_TLS": "rc,cuda", "PSM2_CUDA": "1"},
        sbatch={"qos": "high", "exclusive": None},
        max_requeues=3,
    )


def test_an_empty_file_is_a_site_without_habits() -> None:
    assert parse_site("# nothing\n", "empty.yaml") == Site(name="empty.yaml")


@pytest.mark.parametrize(
    ("text", "place", "message", "hint"),
    [
        ("description: x\npartiton: gpu", "s.yaml:2:1", "a site has no 'partiton'", "did you mean partition?"),
        ("partition: a b", "s.yaml:1:12", "partition cannot be 'a b'", None),
        ('partition: "a\\n#SBATCH --wrap=id"', "s.yaml:1:12", "partition cannot be", None),
        ("account: -x", "s.yaml:1:10", "account cannot be '-x'", None),
        ("account:", "s.yaml:1:9", "account must be a text", None),
        ("account: [a]", "s.yaml:1:10", "account must be a text", None),
        ("account: a\naccount: b", "s.yaml:2:1", "'account' is there twice", None),
        ("gpus_per_node: four", "s.yaml:1:16", "gpus_per_node must be a whole number; it is 'four'", None),
        ("gpus_per_node: -1", "s.yaml:1:16", "must be a whole number", None),
        ("cpus_per_task: 0", "s.yaml:1:16", "cpus_per_task must be from 1", None),
        ("gpu_binding: none", "s.yaml:1:14", "gpu_binding cannot be 'none'", "it is slurm or rank"),
        ("modules: CUDA", "s.yaml:1:10", "modules must be a list", "write modules: [ONE, OTHER]"),
        ("modules: [CUDA; id]", "s.yaml:1:10", "modules cannot be 'CUDA; id'", None),
        ("environment: [A]", "s.yaml:1:14", "environment must be a table", None),
        ("environment: {A: $(id)}", "s.yaml:1:14", "A cannot be '$(id)'", None),
        ("environment: {A-B: 1}", "s.yaml:1:14", "an environment variable cannot be called 'A-B'", None),
        ("sbatch: {wrap: id}", "s.yaml:1:9", "--wrap of sbatch is set by the script itself", None),
        ("sbatch: {Q: x}", "s.yaml:1:9", "sbatch has no option 'Q'", None),
        ("- a", "s.yaml:1:1", "expected lines of KEY: VALUE", None),
        ("text", "s.yaml:1:1", "expected lines of KEY: VALUE", None),
        ("? {a: b}\n: c", "s.yaml:1:3", "a table cannot be a key", None),
        ("a: {", "s.yaml:1:5", "cannot read this", None),
        ("a: b: c", "s.yaml:1:5", "cannot read this", None),
        ("account: a\n---\naccount: b", "s.yaml:2:1", "cannot read this", None),
    ],
)
def test_faults_have_a_place(text: str, place: str, message: str, hint: str | None) -> None:
    with pytest.raises(ClusterError) as refused:
        parse_site(text, "s.yaml")
    assert refused.value.message.startswith(f"{place}: ")
    assert message in refused.value.message
    if hint is not None:
        assert refused.value.hint == hint


def test_a_file_is_data() -> None:
    with pytest.raises(ClusterError, match="account cannot be"):
        parse_site("account: !!python/name:os.system ''", "s.yaml")
    with pytest.raises(ClusterError, match="must be a text"):
        parse_site("account: !!python/object/apply:os.system [id]", "s.yaml")


def test_a_billion_laughs_and_deep_nesting_cost_nothing() -> None:
    laughs = "a: &a [x, x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [*{chr(97 + i)}, *{chr(97 + i)}]\n" for i in range(20)
    )
    with pytest.raises(ClusterError, match="a site has no 'a'"):
        parse_site(laughs, "s.yaml")
    with pytest.raises(ClusterError, match="nested too deeply"):
        parse_site("modules: " + "[" * 30_000, "s.yaml")


def test_files_that_are_not_there_or_too_long(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="does not exist"):
        load_site(str(tmp_path / "none.yaml"))
    with pytest.raises(ClusterError, match="cannot be read"):
        load_site(f"{tmp_path}/")
    long = tmp_path / "long.yaml"
    long.write_text("#" * (MAX_BYTES + 1), encoding="utf-8")
    with pytest.raises(ClusterError, match=r"is longer than 64\.0 KiB"):
        load_site(str(long))
    with pytest.raises(ClusterError, match="no site 'juwels' is known") as refused:
        load_site("juwels")
    assert "juwels-booster" in str(refused.value.hint)

"""Hostile input through the real command: refused with file and reason, exit code 1, nothing written, soon.

The ids HI-01 to HI-23 are those of the threat model; `own` are further ones of ours. Where an id has many inputs
they are in a table, or in `tests/data/hostile/`, whose places and words `tests/blueprints` holds.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from support.command import COMMAND, Ran, call, files_below, spawn
from support.written import BLUEPRINT, SITE, changed, write_project

Maker = Callable[[Path], None]
CORPUS = sorted((Path(__file__).parents[1] / "data" / "hostile").glob("*.yaml"))
TRAINING = """\
  - kind: training
    name: pretrain
    pool: train
    tenant: research
    nodes: 1
    image: IMAGE
"""
NAMES = [
    "..",
    ".",
    "CON",
    "x" * 300,
    "-dash",
    ";rm",
    "$(x)",
    "`id`",
    "a\\nb",
    "%s",
    "{0}",
    "a\\u200bb",
    "\\uFF41",
    "a b",
]
LINES = ["EOF\\nrm -rf x", "%n", "a#b", "a\\\\", "a\\n[Service]"]
"""Words that end a heredoc, or mean something in files of systemd."""
IMAGES = [
    "nvcr.io@sha256:" + "0" * 64,
    "NVCR.IO/x:1",
    "nvcr.io/x@sha256:0123",
    "nvcr.io/x:1@sha256:0123",
    "nvcr.io/x:1@sha512:" + "0" * 64,
    "x:1",
    "nvcr.io/x",
    "nvcr.io/\\uFF58:1",
]
UNITS = ["80GiB", "80 Gi", "80G", "8e1Gi", "-1Gi", "12.5 MW", '"\\u0668"', "1_000", "0x10GiB", '"80"']
UPLINKS = [".inf", "-.Inf", "1e400", "20:30", "2_0", '"$(reboot)"', '"\\u0662\\u0660"', "~", "[20]"]
CIDRS = ["10.0.0.0/33", "10.0.0.1/8", '"::/0"', "0.0.0.0/0", "0x0a000001", "010.0.0.1", "10.0.0.0", "10.35.0.0/16"]
INCLUDES = [
    "/etc/passwd",
    "~/x.yaml",
    "file:x.yaml",
    "file:///etc/x.yaml",
    "http://example.com/x.yaml",
    "//host/share/x.yaml",
    "\\\\\\\\host\\\\x.yaml",
    "C:/x.yaml",
    "C:x.yaml",
    "sites/",
    "sites",
    "../outside.yaml",
    "..",
    "sites/../../outside.yaml",
]  # fmt: skip


def blueprint(old: str, new: str) -> Maker:
    """A project whose blueprint has one change."""
    return lambda folder: _write(folder / "factory.yaml", changed(BLUEPRINT, old, new))


def site(old: str, new: str) -> Maker:
    """A project whose site has one change."""
    return lambda folder: _write(folder / "sites" / "lab.yaml", changed(SITE, old, new))


def content(text: str | bytes, name: str = "factory.yaml") -> Maker:
    """A project one of whose files has this content."""
    return lambda folder: _write(folder / name, text)


def chain(length: int, *, cyclic: bool) -> Maker:
    """Fragments that include one another."""

    def make(folder: Path) -> None:
        for index in range(length):
            last = index == length - 1
            target = "f0.yaml" if last else f"f{index + 1}.yaml"
            include = "" if last and not cyclic else f"include: [{target}]\n"
            _write(folder / f"f{index}.yaml", f"aifactory: v1\n{include}")
        _write(folder / "factory.yaml", f"include: [f0.yaml]\n{BLUEPRINT}")

    return make


def several(*makers: Maker) -> Maker:
    """All of them."""

    def make(folder: Path) -> None:
        for maker in makers:
            maker(folder)

    return make


def fragments(first: str, second: str) -> Maker:
    """Two fragments that set the same key."""
    return several(
        content("aifactory: v1\nrelease_train: '2026.11'\n", "a.yaml"),
        content("aifactory: v1\nrelease_train: '2027.01'\n", "b.yaml"),
        content(f"include: [{first}, {second}]\n{BLUEPRINT}"),
    )


LIGHT: list[tuple[str, Maker, str]] = [
    *(("HI-08", blueprint("sites: [lab]", f'sites: ["{name}"]'), "placement.core.sites[0]: ") for name in NAMES),
    *(("HI-08", blueprint("name: research", f'name: "{name}"'), "tenants[0].name: ") for name in NAMES),
    *(("HI-08", blueprint("name: demo", f'name: "{name}"'), "") for name in NAMES),
    ("HI-08", site("nodes: [node-3]", 'nodes: ["$(x)"]'), "nodes[1].racks[0].nodes[0]: "),
    ("HI-09", chain(1, cyclic=True), "includes itself"),
    ("HI-09", chain(2, cyclic=True), "includes itself"),
    ("HI-09", chain(50, cyclic=True), "too deep, at most 16"),
    ("HI-09", chain(1000, cyclic=False), "too deep, at most 16"),
    (
        "HI-09",
        several(content("aifactory: v1\n", "a.yaml"), content(f"include: [a.yaml, a.yaml]\n{BLUEPRINT}")),
        "twice",
    ),
    *(("HI-10", content(f'include: ["{path}"]\n{BLUEPRINT}'), "factory.yaml:1:11: include[0]: ") for path in INCLUDES),
    ("HI-11", fragments("a.yaml", "b.yaml"), 'release_train: set to "2027.01" here and to "2026.11" at a.yaml:2:1'),
    ("HI-11", fragments("b.yaml", "a.yaml"), 'release_train: set to "2027.01" here and to "2026.11" at a.yaml:2:1'),
    (
        "HI-12",
        several(
            content("aifactory: v1\n", "a.yaml"),
            content("aifactory: v1\n", "A.yaml"),
            content(f"include: [a.yaml, A.yaml]\n{BLUEPRINT}"),
        ),
        "only in case",
    ),
    ("HI-12", blueprint("accelerator: h200", "Accelerator: h200"), 'did you mean "accelerator"?'),
    (
        "HI-12",
        blueprint("accelerator: h200", "accelerator: h200\n    Accelerator: h200"),
        'did you mean "accelerator"?',
    ),
    ("HI-12", blueprint("accelerator: h200", "accelerators: h200"), 'did you mean "accelerator"?'),
    (
        "HI-13",
        site("file: ~/.kube/config", "file: ${HOME}/.kube/config"),
        'cluster.kubeconfig.file: "${HOME}/.kube/config"',
    ),
    ("HI-13", site("context: lab", "context: $AWS_SECRET_ACCESS_KEY"), '"$AWS_SECRET_ACCESS_KEY"'),
    ("HI-14", site('version: "1.35.6"', "version: 1.30"), 'write it in quotes: "1.30"'),
    ("HI-14", site("racks: 4", "racks: 22:22"), '"22:22" is not a whole number'),
    ("HI-14", site("racks: 4", "racks: 0755"), "0755 starts with a zero"),
    ("HI-14", site("racks: 4", "on: 1\n  racks: 4"), '"on" is not a known field'),
    ("HI-14", site("racks: 4", "~: 1\n  racks: 4"), 'quote it: "~"'),
    ("HI-14", blueprint("name: demo", "name: 2026-11-21"), '"2026-11-21" doesn\'t have the right form'),
    ("HI-14", site("venue: on-prem", "venue: no"), '"no" is not a known venue'),
    *(
        ("HI-14", site("venue: on-prem", f"venue: edge\nuplink: {{mbit_per_s: {value}, hours_per_day: 6}}"), "uplink.")
        for value in UPLINKS
    ),
    *(("HI-15", site("memory_gib: 2048", f"memory_gib: {value}"), "nodes[0].memory_gib: ") for value in UNITS),
    *(
        ("HI-16", site("service_cidr: 10.36.0.0/16", f"service_cidr: {cidr}"), "network.service_cidr: ")
        for cidr in CIDRS
    ),
    *(
        ("HI-17", content(BLUEPRINT + TRAINING.replace("IMAGE", f'"{image}"')), "factory.yaml:23:12: parts[2].image: ")
        for image in IMAGES
    ),
    *(("HI-19", site("[node-1, node-2]", f'["{text}"]'), "nodes[0].racks[0].nodes[0]: ") for text in LINES),
    *(("HI-20", site("interface: rail0", f'interface: "{text}"'), "nodes[0].nics[0].interface: ") for text in LINES),
    *(("HI-20", site('pci: "0000:1a:00.0"', f'pci: "{text}"'), "nodes[0].nics[0].pci: ") for text in LINES),
    *(("HI-20", site('kernel: "6.8"\n', f'kernel: "{text}"\n'), "nodes[0].host.kernel: ") for text in LINES),
    (
        "HI-21",
        blueprint("{name: product", "{name: a-b, gpus: 0}\n      - {name: a_b"),
        '"a_b" doesn\'t have the right form',
    ),
    (
        "HI-21",
        blueprint("{name: product", "{name: a-b, gpus: 0}\n      - {name: a.b"),
        '"a.b" doesn\'t have the right form',
    ),
    ("HI-21", blueprint("{name: product", "{name: a-b, gpus: 0}\n      - {name: a-b"), 'tenant "a-b" is listed twice'),
    (
        "HI-21",
        blueprint("{name: product", "{name: a-b, gpus: 0}\n      - {name: A-b"),
        '"A-b" doesn\'t have the right form',
    ),
    ("HI-21", blueprint("[lab]", "[lab, LAB]"), '"LAB" doesn\'t have the right form'),
    ("own", content(""), "the file is empty"),
    ("own", content("just text"), "the file is not a map"),
    ("own", content("aifactory: v2\n"), 'aifactory: "v2" is not a known version'),
    ("own", content("a: {{ b }}\n"), "used as a key"),
    ("own", blueprint("name: demo", 'name: demo\n"\\e]0;x\\a": 1'), "the escaped character U+001B ESCAPE"),
    ("own", blueprint("name: demo", 'name: demo\n"{0} %s {name}": 1'), '"{0} %s {name}" is not a known field'),
    ("own", blueprint("nodes: 2", "nodes: " + "9" * 400), "a number of 400 characters"),
    ("own", blueprint("nodes: 2", "nodes: 1e999"), "larger than any number"),
    (
        "own",
        blueprint("nodes: 2", "nodes: {parameter: {parameter: x}}"),
        "parts[0].nodes: a parameter is named by text",
    ),
    (
        "own",
        blueprint("name: demo", "name: demo\nparameters: {a: {type: string, default: {parameter: a}}}"),
        "parameters.a.default: a must be text",
    ),
    (
        "own",
        blueprint("name: demo", 'name: demo\n__proto__: {x: 1}\n"__class__": y'),
        '"__proto__" is not a known field',
    ),
    ("own", blueprint("accelerator: h200", "accelerator: ../h200"), '"../h200" is not a known accelerator'),
    ("own", blueprint("accelerator: h200", 'accelerator: "{hint}"'), '"{hint}" is not a known accelerator'),
    ("own", content("aifactory: v1\nsites: /etc\n", "aifactory.yaml"), "aifactory.yaml:2:8: sites: "),
    ("own", content("aifactory: v1\ncatalog: [../facts]\n", "aifactory.yaml"), "aifactory.yaml:2:11: catalog[0]: "),
    ("own", content("a: &a [*a]\n", "aifactory.yaml"), "aifactory.yaml:1:8"),
    ("own", lambda folder: _replace(folder / "factory.yaml", "folder"), "factory.yaml is a folder, not a file"),
    ("own", lambda folder: _replace(folder / "factory.yaml", "pipe"), "factory.yaml is not a regular file"),
    ("own", lambda folder: _replace(folder / "factory.yaml", "/dev/zero"), "lies outside the project"),
    ("own", lambda folder: _replace(folder / "factory.yaml", "loop"), "cannot be read"),
    ("own", lambda folder: _replace(folder / "sites" / "lab.yaml", "folder"), "there is no site file for"),
    ("own", lambda folder: _replace(folder / "sites" / "lab.yaml", "pipe"), "there is no site file for"),
    ("own", lambda folder: _replace(folder / "sites" / "lab.yaml", "/etc/hostname"), "lies outside the project"),
    (
        "own",
        several(
            content("aifactory: v1\ncatalog: [facts]\n", "aifactory.yaml"),
            content("accelerators: [{id: x}]\n", "facts/accelerators.yaml"),
        ),
        "facts/accelerators.yaml",
    ),
    (
        "own",
        several(content("aifactory: v1\ncatalog: [facts]\n", "aifactory.yaml"), content("x", "facts/nonsense.yaml")),
        "facts/nonsense.yaml is not a catalog file",
    ),
]
"""Inputs that need no process of their own: id, what to write, a part of what must be said."""

HEAVY: list[tuple[str, Maker, str]] = [
    ("HI-01", content("[" * 100_000), "more than 64 lists and maps inside one another"),
    ("HI-01", content("{a: " * 10_000), "more than 64 lists and maps inside one another"),
    ("HI-01", content("\n".join(" " * depth + "a:" for depth in range(3_000))), "more than 64 lists and maps"),
    ("HI-02", lambda folder: os.truncate(folder / "factory.yaml", 300_000_000), "at most 8388608 are read"),
    ("HI-02", content("a: " + "x" * 50_000_000), "at most 8388608 are read"),
    ("HI-02", content("aifactory: v1\na: " + "x" * 8_000_000), "at most 1048576 are allowed"),
    ("own", content(BLUEPRINT + "".join(f"key_{index}: 1\n" for index in range(100_000))), "more problems follow"),
    (
        "own",
        content(BLUEPRINT + "".join(f"      - {{name: T{index}, gpus: x}}\n" for index in range(19_000))),
        "more problems follow",
    ),
    ("own", blueprint("[lab]", f"[{', '.join(f's{index}' for index in range(60_000))}]"), "at most 500 are allowed"),
    ("own", blueprint("name: demo", "name: demo\n# " + "x" * 4_000_000 + "\nnope: 1"), '"nope" is not a known field'),
    ("own", content("aifactory: v1\nname: " + "token" * 200_000), "at most 40 are allowed"),
    ("own", content('{"aifactory": "v1", "name": "' + "://a:" * 200_000 + '"}'), "at most 40 are allowed"),
    (
        "own",
        blueprint("name: demo", "name: demo\ndescription: &d " + "x" * 100_000 + "\n" + "y: [" + "*d, " * 900 + "]"),
        "description: it has 100000 characters",
    ),
    (
        "own",
        blueprint(
            "nodes: 2",
            "nodes: 2\n    overrides: [{row: a/b, reason: because, patch: " + "{a: " * 100 + "}" * 100 + "}]",
        ),
        "more than 64 lists and maps inside one another",
    ),
    ("own", content("- " * 200_000), "more than 64 lists and maps"),
    (
        "own",
        content(BLUEPRINT.replace("parts:\n", "parts:\n" + "  - {kind: cluster, name: c}\n" * 30_000)),
        "at most 1000",
    ),
]
"""Inputs that would hurt in time or memory: run as processes of their own, with limits."""


def _write(path: Path, text: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)


def _replace(path: Path, what: str) -> None:
    path.unlink()
    if what == "folder":
        path.mkdir()
    elif what == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(path.name if what == "loop" else what)


def assert_refused(ran: Ran, says: str) -> None:
    """Exit code 1, the reason on stderr without a character that a terminal obeys, and no traceback."""
    assert ran.code == 1, ran.err[-2000:]
    assert says in ran.err
    assert re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\ufeff]", ran.err) is None
    assert "Traceback" not in ran.err
    assert "defect of its own" not in ran.err
    assert len(ran.err) < 100_000


def _ids(cases: list[tuple[str, Maker, str]]) -> list[str]:
    return [f"{case[0]}-{index:03d}" for index, case in enumerate(cases)]


@pytest.mark.parametrize(("case", "make", "says"), LIGHT, ids=_ids(LIGHT))
def test_hostile_input_is_refused_with_its_reason_and_nothing_is_written(
    tmp_path: Path, case: str, make: Maker, says: str
) -> None:
    path = write_project(tmp_path / "project")
    make(path.parent)
    before = files_below(tmp_path) if case != "own" else {}
    ran = call("check", path)
    assert_refused(ran, says)
    assert ran.out == f"denied: {ran.out.partition('denied: ')[2]}"
    ran = call("generate", path, "--out", tmp_path / "out")
    assert_refused(ran, says)
    assert ran.err.rstrip().endswith("Nothing was written.")
    assert ran.out == ""
    assert not (tmp_path / "out").exists()
    assert before == (files_below(tmp_path) if case != "own" else {})


@pytest.mark.parametrize(("case", "make", "says"), HEAVY, ids=_ids(HEAVY))
def test_input_that_would_take_all_time_or_memory_is_refused_soon(
    tmp_path: Path, case: str, make: Maker, says: str
) -> None:
    path = write_project(tmp_path / "project")
    make(path.parent)
    ran = spawn("check", path)
    assert_refused(ran, says)
    assert ran.out.startswith("denied: ")
    assert sorted(each.name for each in path.parent.iterdir()) == ["aifactory.yaml", "factory.yaml", "sites"]


@pytest.mark.parametrize("file", CORPUS, ids=lambda file: file.stem)
def test_a_hostile_file_is_refused_by_the_command_as_by_the_loader(tmp_path: Path, file: Path) -> None:
    """HI-03 to HI-07, HI-13 and HI-14: the corpus, as a blueprint, a site and a project file."""
    for name in ("factory.yaml", "sites/lab.yaml", "aifactory.yaml"):
        path = write_project(tmp_path)
        _write(tmp_path / name, file.read_bytes())
        assert_refused(call("check", path), f"{name}:")


def test_every_hostile_case_of_the_threat_model_has_a_test_and_ours_are_more_than_twenty() -> None:
    tables = {case for case, _, _ in (*LIGHT, *HEAVY)}
    corpus = {"HI-03", "HI-04", "HI-05", "HI-06", "HI-07"}
    below = {"HI-22", "HI-23"}
    wanted = {f"HI-{number:02d}" for number in (*range(1, 18), 21, 22, 23)}
    assert tables | corpus | below >= wanted
    assert sum(case == "own" for case, _, _ in (*LIGHT, *HEAVY)) >= 20


def test_placeholders_of_the_environment_are_never_expanded(tmp_path: Path) -> None:
    """HI-13: words that look like them reach the plan as written."""
    words = "    args: ['${HOME}', '$AWS_SECRET_ACCESS_KEY', '{{ env.HOME }}', '%(x)s', '`id`']\n"
    text = BLUEPRINT + TRAINING.replace("IMAGE", "registry.example.com/x:1") + words
    path = write_project(tmp_path, text)
    ran = spawn(
        "plan", path, "--format", "json", env={"AWS_SECRET_ACCESS_KEY": "CANARY", "HOME": str(tmp_path / "CANARY")}
    )
    assert ran.code == 0, ran.err
    assert '"${HOME}"' in ran.out
    assert "$AWS_SECRET_ACCESS_KEY" in ran.out
    assert "CANARY" not in ran.out + ran.err


def test_a_file_name_cannot_drive_the_terminal(tmp_path: Path) -> None:
    """HI-06: what is wrong with a file is told with its name escaped."""
    path = write_project(tmp_path)
    hostile = path.rename(path.with_name("a\x1b[31m\n.yaml"))
    assert_refused(call("check", hostile), "hides characters")
    assert_refused(call("check", tmp_path / "no\x1b[31m\n.yaml"), "there is no file")


@pytest.mark.parametrize(
    "words", [["--site", "../x"], ["--site", "\x1b[31m"], ["--set", "a=$(x)"], ["--set", "\x1b=1"]]
)
def test_hostile_words_on_the_command_line_are_refused(tmp_path: Path, words: list[str]) -> None:
    assert_refused(call("check", write_project(tmp_path), *words), "")


def test_a_hostile_path_to_explain_is_refused(tmp_path: Path) -> None:
    path = write_project(tmp_path)
    for words in ("(.*)+$", "train." + "x" * 100_000, "", "\x1b[31m"):
        assert_refused(call("explain", path, words), "nothing was decided about")


def generated(folder: Path, out: Path) -> Ran:
    """Generate the project of a folder."""
    return call("generate", folder / "factory.yaml", "--out", out)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a factory that can be built."""
    return write_project(tmp_path / "project").parent


def test_a_folder_with_foreign_files_keeps_them(project: Path, tmp_path: Path) -> None:
    """HI-22."""
    out = tmp_path / "out"
    _write(out / "mine.txt", "mine")
    _write(out / "demo-lab-platform" / "notes.txt", "mine")
    assert generated(project, out).code == 0
    assert (out / "mine.txt").read_text() == "mine"
    assert (out / "demo-lab-platform" / "notes.txt").read_text() == "mine"
    assert (out / "demo-lab-platform" / "rows.json").is_file()


def test_a_foreign_file_in_the_way_is_not_overwritten(project: Path, tmp_path: Path) -> None:
    """HI-22."""
    _write(tmp_path / "out" / "demo-lab-platform" / "rows.json", "mine")
    before = files_below(tmp_path)
    assert_refused(generated(project, tmp_path / "out"), "rows.json")
    assert files_below(tmp_path) == before


def test_an_output_folder_that_is_a_link_is_refused(project: Path, tmp_path: Path) -> None:
    """HI-22."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "demo-lab-platform").symlink_to(tmp_path / "elsewhere")
    assert_refused(generated(project, tmp_path / "out"), "link")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_an_output_folder_that_is_a_file_is_refused(project: Path, tmp_path: Path) -> None:
    """HI-22."""
    _write(tmp_path / "out", "mine")
    assert_refused(generated(project, tmp_path / "out"), "out")
    assert (tmp_path / "out").read_text() == "mine"


def test_a_read_only_output_folder_is_refused(project: Path) -> None:
    """HI-22. Not even root writes into /proc."""
    assert_refused(generated(project, Path("/proc/aifactory")), "/proc/aifactory")


def test_the_sources_are_never_overwritten(project: Path) -> None:
    """HI-22: stacks may lie beside the sources in folders of their own, and never in their place."""
    (project / "demo-lab-platform").mkdir()
    (project / "factory.yaml").rename(project / "demo-lab-platform" / "factory.yaml")
    (project / "sites").rename(project / "demo-lab-platform" / "sites")
    before = files_below(project)
    ran = call("generate", project / "demo-lab-platform" / "factory.yaml", "--out", project)
    assert_refused(ran, "source")
    assert files_below(project) == before


def test_two_runs_at_once_leave_one_whole_result(project: Path, tmp_path: Path) -> None:
    """HI-23: each run writes all of it, or says that the folder is busy and writes nothing."""
    words = [COMMAND, "generate", project / "factory.yaml", "--out"]
    assert generated(project, tmp_path / "alone").code == 0
    runs = [
        subprocess.Popen([*words, tmp_path / "out"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    ended = [Ran(run.returncode, out, err) for run in runs for out, err in [run.communicate()]]
    assert 0 in {ran.code for ran in ended}
    assert {ran.code for ran in ended} <= {0, 1}
    assert all("Traceback" not in ran.err for ran in ended)
    assert files_below(tmp_path / "out") == files_below(tmp_path / "alone")

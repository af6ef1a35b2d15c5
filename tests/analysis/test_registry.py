"""Every registered method keeps the contract, and files that break it are refused with a sentence."""

from __future__ import annotations

import importlib
import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from analysis import methods, properties
from analysis.methods import MethodError, Outcome, ParamsError, Result
from tests.analysis.hostile import assert_survives, dataset, hostile_datasets, hostile_inputs, ordinary_values

KEYS = sorted(methods.registry())
HOSTILE = dict(hostile_datasets())

GOOD = """
from dataclasses import dataclass
from analysis.methods import Method, Outcome, Property, Result, Role, param

METHOD = Method(
    title="Mean", version=1, accepts=(Role("sample", ("pl",)),), reference="none",
    properties=(Property("mean_level", "Mean", "counts", components=("I",)),),
)

@dataclass(frozen=True)
class Params:
    gain: float = param(1.0, unit="V", min=0.5, max=2.0, help="Amplification.")
    times: int = param(3, min=1, help="Repeats.")
    clip: bool = param(False, help="Cut the top.")
    mode: str = param("fast", choices=("fast", "slow"), help="How.")
    start_nm: float | None = param(None, unit="nm", help="From here.")

def run(datasets, params):
    return Outcome((Result("mean_level", params.gain, 0.1, "I"),))
"""

SPOILED = {
    "no METHOD": (("METHOD = Method", "OTHER = Method"), "METHOD is missing"),
    "METHOD of another type": (("METHOD = Method(", "METHOD = dict("), "METHOD is missing"),
    "no Params": (("class Params", "class Settings"), "Params is missing"),
    "Params not a dataclass": (("@dataclass(frozen=True)\nclass", "class"), "Params is missing"),
    "Params not frozen": (("frozen=True", "frozen=False"), "must be frozen"),
    "no run": (("def run(", "def walk("), "run(datasets, params) is missing"),
    "version as text": (("version=1", "version='1'"), "METHOD.version"),
    "version zero": (("version=1", "version=0"), "METHOD.version"),
    "on_upload as text": (("version=1", "version=1, on_upload='no'"), "METHOD.on_upload"),
    "no reference": (('reference="none"', 'reference=" "'), "METHOD.reference is empty"),
    "no inputs": (('accepts=(Role("sample", ("pl",)),)', "accepts=()"), "METHOD.accepts"),
    "roles as texts": (('(Role("sample", ("pl",)),)', '("sample",)'), "METHOD.accepts"),
    "role without technique": (('("pl",)', "()"), "must name its techniques"),
    "no properties": (
        ('(Property("mean_level", "Mean", "counts", components=("I",)),)', "()"),
        "METHOD.properties",
    ),
    "upper case": (('"mean_level", "Mean"', '"Mean_Level", "Mean"'), "lower-case words"),
    "unit in the key": (('"mean_level", "Mean"', '"mean_level_nm", "Mean"'), "ends in a unit"),
    "no unit": (('"counts"', '""'), "has no unit"),
    "percent with a unit": (('components=("I",)', "as_percent=True"), "stored as a fraction"),
    "components as text": (('components=("I",)', 'components="I"'), "tuple of labels"),
    "two of a kind": (
        ('components=("I",)),)', 'components=("I",)), Property("mean_level", "M", "counts"))'),
        "declared twice",
    ),
    "another unit than elsewhere": (('"mean_level", "Mean"', '"tg", "Mean"'), "“tg” is in °C elsewhere"),
    "parameter of a strange type": (("gain: float", "gain: list"), "use float, int, bool or str"),
    "parameter without param()": (('param(3, min=1, help="Repeats.")', "3"), "must be made with param"),
    "parameter without help": (('help="How."', 'help=""'), "has no help"),
    "default outside its limits": (("param(1.0", "param(9.0"), "breaks its own limits"),
    "default of another type": (("param(3,", "param('many',"), "breaks its own limits"),
    "a missing import": (
        ("from dataclasses", "import no_such_thing\nfrom dataclasses"),
        "cannot be imported",
    ),
    "a syntax error": (("def run(", "def run(("), "cannot be imported"),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    return tmp_path


def discovered(folder: Path, source: str, name: str = "plugin_under_test"):
    (folder / f"{name}.py").write_text(source)
    sys.modules.pop(name, None)
    importlib.invalidate_caches()
    try:
        return methods.discover([name])
    finally:
        sys.modules.pop(name, None)


def loaded_from(folder: Path, source: str):
    found, refused = discovered(folder, source)
    assert not refused
    return found["plugin_under_test"]


# Everything registered


def test_no_file_in_the_folder_is_refused():
    assert methods.refusals() == {}
    assert {"pl_gaussians", "pl_descriptors"} <= set(KEYS)


@pytest.mark.parametrize(
    ("key", "kind"), [(key, kind) for key in KEYS for kind in hostile_inputs(methods.get(key))]
)
def test_hostile_input_gives_a_sentence_or_finite_numbers(key, kind):
    loaded = methods.get(key)
    assert_survives(loaded, hostile_inputs(loaded)[kind])


@pytest.mark.parametrize("key", [loaded.key for loaded in methods.over_values()])
def test_a_method_over_values_has_an_answer_for_ordinary_ones_in_any_order(key):
    loaded = methods.get(key)
    values, params = ordinary_values(loaded), methods.parse_params(loaded, {})
    forwards, backwards = loaded.run(values, params), loaded.run(values[::-1], params)
    assert methods.check_outcome(loaded, forwards).values
    for one, other in zip(forwards.values, backwards.values, strict=True):
        assert (one.property, one.component) == (other.property, other.component)
        assert one.value == pytest.approx(other.value, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("key", KEYS)
def test_a_method_has_a_key_a_schema_and_defaults_that_json_can_carry(key):
    loaded = methods.get(key)
    assert loaded.method.key == key == loaded.key
    assert json.loads(json.dumps(methods.params_schema(loaded))) == methods.params_schema(loaded)
    canonical = methods.canonical_params(loaded, {})
    assert json.loads(json.dumps(canonical)) == canonical
    assert methods.canonical_params(loaded, canonical) == canonical


def test_the_registry_needs_neither_scipy_nor_django_nor_a_database():
    script = (
        "import sys, analysis.methods, analysis.properties as p; p.all();"
        "heavy = {'scipy', 'lmfit', 'django', 'celery', 'plotly', 'h5py'} & set(sys.modules);"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_method_is_offered_for_the_technique_it_accepts_and_no_other():
    assert "pl_gaussians" in [loaded.key for loaded in methods.for_technique("pl")]
    assert methods.for_technique("xrd") == [] or all("pl" not in m.key for m in methods.for_technique("xrd"))


def test_an_unknown_method_is_named_in_the_error():
    with pytest.raises(KeyError, match="no method “pl_guess”"):
        methods.get("pl_guess")


# The checks themselves: deliberately bad methods must fail them


def test_the_good_example_is_accepted(folder):
    found, refused = discovered(folder, GOOD)
    assert list(found) == ["plugin_under_test"]
    assert refused == {}


@pytest.mark.parametrize("fault", SPOILED)
def test_a_bad_file_is_refused_with_a_sentence(folder, fault):
    (old, new), reason = SPOILED[fault]
    assert old in GOOD
    found, refused = discovered(folder, GOOD.replace(old, new))
    assert found == {}
    assert refused["plugin_under_test"].startswith("plugin_under_test.py")
    assert reason in refused["plugin_under_test"]


def test_one_bad_file_leaves_the_others_in_place(folder):
    (folder / "a_bad_one.py").write_text("METHOD = None")
    (folder / "b_good_one.py").write_text(GOOD)
    importlib.invalidate_caches()
    found, refused = methods.discover(["a_bad_one", "b_good_one"])
    assert (list(found), list(refused)) == (["b_good_one"], ["a_bad_one"])


def test_two_methods_cannot_both_be_preferred_for_a_property(folder):
    for name in ("mean_a", "mean_b"):
        (folder / f"{name}.py").write_text(GOOD)
    importlib.invalidate_caches()
    found, refused = methods.discover(["mean_a", "mean_b"])
    assert list(found) == ["mean_a"]
    assert "mean_a is already preferred" in refused["mean_b"]


# Methods over values

OVER_VALUES = """
from dataclasses import dataclass
from analysis.methods import Method, Outcome, Property, Result

METHOD = Method(
    title="Mean", version=1, over="project", reads=("tg",), reference="none",
    properties=(Property("tg_level", "Level", "°C"),),
)

@dataclass(frozen=True)
class Params:
    pass

def run(values, params):
    return Outcome((Result("tg_level", sum(v.value for v in values), 1.0),))
"""
FAULTS = {
    "over something else": (('"project"', '"planet"'), "measurement, sample or project"),
    "datasets as well": (('reads=("tg",)', 'reads=("tg",), accepts=(1,)'), "leave out accepts"),
    "reads nothing": (('reads=("tg",)', "reads=()"), "METHOD.reads"),
    "reads a text": (('reads=("tg",)', 'reads="tg"'), "METHOD.reads"),
    "reads what nobody yields": (('reads=("tg",)', 'reads=("luck",)'), "nothing yields “luck”"),
    "needs what it does not read": (('reads=("tg",)', 'reads=("tg",), needs=("plqy",)'), "METHOD.needs"),
    "an unknown factor": (('reads=("tg",)', 'reads=("tg",), factors=("mood",)'), "no process factor “mood”"),
    "at least none": (('reads=("tg",)', 'reads=("tg",), at_least=0'), "METHOD.at_least"),
    "reads its own": (('reads=("tg",)', 'reads=("tg_level",)'), "live on its own results"),
    "datasets that read values": (('over="project", ', ""), "belong to a method over="),
}


def test_a_method_over_values_is_accepted(folder):
    assert loaded_from(folder, OVER_VALUES).over_values


@pytest.mark.parametrize("fault", FAULTS)
def test_a_bad_method_over_values_is_refused_with_a_sentence(folder, fault):
    (old, new), reason = FAULTS[fault]
    assert old in OVER_VALUES
    found, refused = discovered(folder, OVER_VALUES.replace(old, new))
    assert found == {}
    assert reason in refused["plugin_under_test"]


def test_two_methods_that_live_on_each_other_are_broken_apart(folder):
    """Whatever detour it takes: a ← b ← c ← a. One is refused; the others read what no longer exists."""
    chain = {"ring_a": ("c", "a"), "ring_b": ("a", "b"), "ring_c": ("b", "c")}
    for name, (reads, yields) in chain.items():
        source = OVER_VALUES.replace('reads=("tg",)', f'reads=("tg_level_{reads}z",)')
        (folder / f"{name}.py").write_text(source.replace('"tg_level"', f'"tg_level_{yields}z"'))
    importlib.invalidate_caches()
    found, refused = methods.discover(list(chain))
    assert found == {}
    assert "live on its own results: ring_a ← ring_c ← ring_b ← ring_a" in refused["ring_a"]
    assert "nothing yields" in refused["ring_b"]


def test_a_chain_of_methods_over_values_is_no_circle(folder):
    (folder / "chain_a.py").write_text(OVER_VALUES)
    source = OVER_VALUES.replace('reads=("tg",)', 'reads=("tg_level",)')
    (folder / "chain_b.py").write_text(source.replace('Property("tg_level"', 'Property("tg_level_b"'))
    importlib.invalidate_caches()
    found, refused = methods.discover(["chain_a", "chain_b"])
    assert (sorted(found), refused) == (["chain_a", "chain_b"], {})


@pytest.mark.parametrize(
    "body",
    [
        "raise ZeroDivisionError",
        "import numpy; numpy.ones(1) / numpy.zeros(1); return Outcome((Result('mean_level', 1, 1, 'I'),))",
        "return Outcome((Result('mean_level', float('nan'), 0.1, 'I'),))",
        "return Outcome((Result('mean_level', 1.0, float('inf'), 'I'),))",
        "return Outcome((Result('mean_level', 1.0, -1.0, 'I'),))",
        "return Outcome((Result('other', 1.0, 0.1),))",
        "return Outcome((Result('mean_level', 1.0, 0.1, 'II'),))",
        "return Outcome((Result('mean_level', 1.0, 0.1),))",
        "return Outcome(())",
        "return {'mean_level': 1.0}",
    ],
)
def test_the_shared_check_notices_a_method_that_misbehaves(folder, body):
    source = GOOD[: GOOD.index("    return Outcome")] + f"    {body}\n"
    bad = loaded_from(folder, source)
    with pytest.raises((AssertionError, ZeroDivisionError, RuntimeWarning)):
        assert_survives(bad, HOSTILE["exact"])


def test_an_outcome_with_everything_in_order_passes(folder):
    loaded = loaded_from(folder, GOOD)
    outcome = Outcome((Result("mean_level", 1.0, 0.1, "I"),), notes={"r2": 0.5, "why": "because"})
    assert methods.check_outcome(loaded, outcome) is outcome


def test_a_value_given_twice_is_refused(folder):
    loaded = loaded_from(folder, GOOD)
    twice = Outcome((Result("mean_level", 1.0, 0.1, "I"), Result("mean_level", 2.0, 0.1, "I")))
    with pytest.raises(MethodError, match="twice"):
        methods.check_outcome(loaded, twice)


def test_a_note_that_is_not_finite_is_refused(folder):
    loaded = loaded_from(folder, GOOD)
    outcome = Outcome((Result("mean_level", 1.0, 0.1, "I"),), notes={"r2": math.nan})
    with pytest.raises(MethodError, match="“r2”"):
        methods.check_outcome(loaded, outcome)


# Parameters


def test_parameters_come_from_a_form_as_well_as_from_json(folder):
    loaded = loaded_from(folder, GOOD)
    form = {"gain": "1.5", "times": "4", "clip": "on", "mode": "slow", "start_nm": ""}
    typed = {"gain": 1.5, "times": 4, "clip": True, "mode": "slow", "start_nm": None}
    assert methods.parse_params(loaded, form) == methods.parse_params(loaded, typed)
    assert methods.canonical_params(loaded, form) == typed


def test_defaults_are_part_of_the_canonical_parameters(folder):
    loaded = loaded_from(folder, GOOD)
    assert methods.canonical_params(loaded, {}) == methods.canonical_params(loaded, {"gain": 1, "times": 3.0})


@pytest.mark.parametrize(
    ("given", "field", "message"),
    [
        ({"gian": 1.0}, "gian", "is not a parameter of"),
        ({"gain": 0.1}, "gain", "at least 0.5 V"),
        ({"gain": 3}, "gain", "at most 2 V"),
        ({"gain": "much"}, "gain", "is a number such as"),
        ({"gain": float("nan")}, "gain", "finite"),
        ({"gain": True}, "gain", "is a number"),
        ({"gain": None}, "gain", "needs a value"),
        ({"gain": [1.0]}, "gain", "is a number"),
        ({"times": 1.5}, "times", "whole number"),
        ({"times": 10**400}, "times", "is a number"),
        ({"clip": "perhaps"}, "clip", "yes or no"),
        ({"mode": "medium"}, "mode", "one of fast, slow"),
        ({"mode": 3}, "mode", "is a word"),
    ],
)
def test_a_bad_parameter_is_refused_by_name(folder, given, field, message):
    loaded = loaded_from(folder, GOOD)
    with pytest.raises(ParamsError, match=message) as refusal:
        methods.parse_params(loaded, given)
    assert refusal.value.field == field


def test_the_schema_says_what_a_form_needs(folder):
    first, *_, last = methods.params_schema(loaded_from(folder, GOOD))
    assert first == {
        "name": "gain",
        "type": "number",
        "nullable": False,
        "default": 1.0,
        "unit": "V",
        "minimum": 0.5,
        "maximum": 2.0,
        "choices": [],
        "help": "Amplification.",
    }
    assert (last["name"], last["nullable"], last["default"]) == ("start_nm", True, None)


# Properties


def test_properties_are_those_of_the_methods_and_those_that_await_one():
    known = properties.all()
    declared = {p.key for loaded in methods.registry().values() for p in loaded.method.properties}
    assert declared <= set(known)
    assert {"plqy", "tg", "phase_fraction", "stability_water", "cie_x"} <= set(known)


def test_every_property_keeps_the_rules_for_keys_and_units():
    from analysis.methods._contract import check_property

    for declared in properties.all().values():
        check_property(declared)
    assert properties.get("plqy").as_percent
    assert properties.get("phase_fraction").components == ("alpha", "beta", "gamma", "delta")
    assert properties.get("tg").unit == "°C"


def test_an_undeclared_property_is_refused_by_name():
    with pytest.raises(KeyError, match="no property “luck”"):
        properties.get("luck")


def test_the_preferred_method_of_a_property_is_known():
    assert properties.preferred_method("pl_peak_center") == "pl_gaussians"
    assert properties.preferred_method("plqy") is None or isinstance(properties.preferred_method("plqy"), str)


def test_a_dataset_for_the_tests_has_the_shape_it_claims():
    assert dataset(HOSTILE["exact"].signal.values).axes[0].values.size == 251

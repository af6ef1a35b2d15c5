"""Athena projects: real ones against xraylarch, and JSON and hostile Perl written here."""

import gzip
import json
from pathlib import Path

import pytest

from measurements.data import ReadError
from measurements.readers import athena_project
from tests.measurements.readers.expected import readings_of
from tests.measurements.readers.mutations import mutations

PERL = r"""# Athena project file -- Demeter version 0.9.26
$old_group = 'abcd';
@args = ('bkg_z','Fe','fft_edge','k','label','it\'s; iron','xdi',{'a' => ['1']},'is_chi',0,'bkg_eshift',.5);
@x = ('7100','7101.5');
@y = ('0.1','0.2');
@stddev = ('0.01','0.02');
@i0 = (1000,'1001');
[record]   # create object and set arrays in ifeffit

@journal = ('system("rm -rf /")','');
1;
"""


def saved(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "file"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("name", ["Fe.prj", "PtData.prj", "cu.prj", "pbaq.prj", "tipb.prj"])
def test_every_group_of_a_real_project_agrees_with_xraylarch(reference: Path, name: str) -> None:
    path = reference / "instrument_files" / "xas" / name
    assert athena_project.recognises(path.read_bytes()[:65536], "any")
    absorption = [d for d in athena_project.read(path) if d.signal.name == "μ(E)"]
    (reading,) = readings_of(reference)[f"xas/{name}"]
    assert len(absorption) == reading["n_groups"]
    for dataset, group in zip(absorption, reading["groups"].values(), strict=True):
        energy, mu = dataset.axes[0].values, dataset.signal.values
        assert (energy.size, energy[0], energy[-1]) == (group["n"], group["e_first"], group["e_last"])
        assert (mu[0], mu[-1]) == (group["mu_first"], group["mu_last"])
        assert float(dataset.header["bkg_e0"]) == pytest.approx(group["e0"])


@pytest.mark.parametrize("pack", [gzip.compress, bytes])
def test_perl_is_read_as_text_packed_or_not(tmp_path: Path, pack: object) -> None:
    content = gzip.compress(PERL.encode()) if pack is gzip.compress else PERL.encode()
    assert athena_project.recognises(content, "any")
    mu, i0 = athena_project.read(saved(tmp_path, content))
    assert list(mu.axes[0].values) == [7100, 7101.5]
    assert list(mu.signal.values) == [0.1, 0.2]
    assert mu.signal.errors is not None
    assert list(mu.signal.errors) == [0.01, 0.02]
    assert list(i0.signal.values) == [1000, 1001]
    assert mu.header["label"] == "it's; iron"
    assert mu.header["bkg_eshift"] == ".5"
    assert {name: each.value for name, each in mu.conditions.items()} == {
        "element": "Fe", "edge": "K", "sample_name": "it's; iron"
    }  # fmt: skip


def test_a_project_in_json(tmp_path: Path) -> None:
    project = {
        "_____header1": "# Athena project file -- Demeter JSON",
        "abcd": {"args": {"label": "chi", "is_chi": 1, "bkg_z": "Cu"}, "x": [0, "0.05"], "y": [1, 2]},
    }
    content = gzip.compress(json.dumps(project).encode())
    assert athena_project.recognises(content, "any")
    (chi,) = athena_project.read(saved(tmp_path, content))
    assert (chi.axes[0].name, chi.axes[0].unit) == ("k", "Å⁻¹")
    assert list(chi.axes[0].values) == [0, 0.05]


def test_lists_of_different_lengths_are_refused_with_both_counts(tmp_path: Path) -> None:
    content = PERL.replace("@y = ('0.1','0.2')", "@y = ('0.1')").encode()
    with pytest.raises(ReadError, match="has 2 energies and 1 values of @y"):
        athena_project.read(saved(tmp_path, content))


def test_an_archive_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="cut off or damaged"):
        athena_project.read(saved(tmp_path, gzip.compress(PERL.encode())[:-20]))


def test_mutilated_files_are_read_or_refused_and_nothing_else(tmp_path: Path) -> None:
    for whole in (PERL.encode(), gzip.compress(PERL.encode())):
        for _, content in mutations(whole, seed=3):
            try:
                assert athena_project.read(saved(tmp_path, content))
            except ReadError:
                continue

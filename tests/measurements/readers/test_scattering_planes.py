"""Planes of a detector in small-angle scattering, as NIST's macros and NXcanSAS keep them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from measurements import readers
from measurements.data import ReadError
from measurements.readers import danse_sans, isis_2d, nist_abs, nxcansas
from tests.measurements.readers.mutations import offences

QX, QY = np.array([-0.02, -0.01, 0.0, 0.01]), np.array([-0.1, 0.1, 0.3])
INTENSITY = np.arange(12.0).reshape(3, 4)


def nist_plane(qx: np.ndarray, qy: np.ndarray) -> str:
    above = [
        "FILE: A.SA3   CREATED: 22-JAN-2008 02:45:55", "LABEL: silica",
        "MON CNT   LAMBDA (A)  DET_OFF(cm)   DET_DIST(m)   TRANS   THICK(cm)", "4e+06  6  0  4  0.72  0.2",
        "BCENT(X,Y)   A1(mm)   A2(mm)   A1A2DIST(m)   DL/L   BSTOP(mm)   DET_TYP",
        "68.15  64.79  50    3    8.5505    0.142    50.8    ORNL", "",
        "Data columns are Qx - Qy - I(Qx,Qy) - Qz - SigmaQx - SigmaQy - fSubS(beam stop shadow)", "",
    ]  # fmt: skip
    pixels = zip(qx.ravel(), qy.ravel(), INTENSITY.ravel(), strict=True)
    return "\n".join([*above, *(f"{x}\t{y}\t{i}\t0.01\t0.02\t0.03\t1" for x, y, i in pixels), ""])


def test_a_plane_of_nist_s_macros_has_an_axis_in_each_direction(tmp_path: Path) -> None:
    path = tmp_path / "plane.dat"
    path.write_text(nist_plane(*np.meshgrid(QX, QY)))
    assert nist_abs.recognises(path.read_bytes(), path.name) > 0.9
    (plane,) = nist_abs.read(path)
    assert [(axis.name, axis.unit) for axis in plane.axes] == [("q_y", "Å⁻¹"), ("q_x", "Å⁻¹")]
    np.testing.assert_allclose(plane.axes[0].values, QY)
    np.testing.assert_allclose(plane.axes[1].values, QX)
    np.testing.assert_array_equal(plane.signal.values, INTENSITY)
    assert plane.conditions["neutron_wavelength"].value == 6


def test_where_rows_of_pixels_are_bent_in_q_every_pixel_keeps_its_own(tmp_path: Path) -> None:
    qx, qy = np.meshgrid(QX, QY)
    bent = qx * (1 + qy**2 / 2)
    path = tmp_path / "plane.dat"
    path.write_text(nist_plane(bent, qy))
    plane, q_x, q_y = nist_abs.read(path)
    assert [axis.name for axis in plane.axes] == ["q_y", "q_x"]  # by less than a tenth of a step
    np.testing.assert_allclose(q_x.signal.values, bent)
    np.testing.assert_allclose(q_y.signal.values, qy)


def test_pixels_that_were_left_out_are_missing_in_the_plane(tmp_path: Path) -> None:
    lines = nist_plane(*np.meshgrid(QX, QY)).split("\n")
    del lines[-3], lines[-8]
    path = tmp_path / "plane.dat"
    path.write_text("\n".join(lines))
    (plane,) = nist_abs.read(path)
    assert plane.signal.values.shape == (3, 4)
    assert np.isnan(plane.signal.values).sum() == 2
    assert np.nansum(plane.signal.values) == INTENSITY.sum() - 10 - 4


def test_pixels_that_make_no_rows_are_refused(tmp_path: Path) -> None:
    scattered = np.arange(12).reshape(3, 4)
    path = tmp_path / "plane.dat"
    path.write_text(nist_plane(scattered * 7 % 12 / 100, scattered**2 / 100))
    with pytest.raises(ReadError, match="do not make rows of equal length"):
        nist_abs.read(path)


@pytest.mark.parametrize("as_vector", [True, False])
@pytest.mark.parametrize("by_row", [True, False])
def test_a_plane_in_nxcansas_lies_with_q_y_down_and_q_x_across(
    tmp_path: Path, by_row: bool, as_vector: bool
) -> None:
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "plane.h5"
    qx, qy = np.meshgrid(QX, QY)
    turned = {name: part if by_row else part.T for name, part in (("Qx", qx), ("Qy", qy), ("I", INTENSITY))}
    with h5py.File(path, "w") as file:
        entry = file.create_group("sasentry01")
        entry.attrs["canSAS_class"] = "SASentry"
        table = entry.create_group("sasdata01")
        table.attrs.update(canSAS_class="SASdata", signal="I", I_axes="Qx,Qy", Q_indices=[0, 1])
        if as_vector:
            turned["Q"] = np.stack([turned.pop("Qx"), turned.pop("Qy"), np.zeros(turned["I"].shape)])
        for name, part in turned.items():
            table[name] = part
            table[name].attrs["units"] = "1/cm" if name == "I" else "1/nm"
        table["I"].attrs["uncertainties"] = "Idev"
        table["Idev"] = np.sqrt(turned["I"])
    (plane,) = nxcansas.read(path)
    np.testing.assert_allclose(plane.axes[0].values, QY / 10)  # 1/nm in the file, Å⁻¹ here
    np.testing.assert_allclose(plane.axes[1].values, QX / 10)
    np.testing.assert_array_equal(plane.signal.values, INTENSITY)
    assert plane.signal.errors is not None
    np.testing.assert_allclose(plane.signal.errors, np.sqrt(INTENSITY))


def test_mutilated_planes_are_read_or_refused_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "plane.dat"
    path.write_text(nist_plane(*np.meshgrid(QX, QY)))
    assert list(offences(readers.get("nist_abs"), path)) == []


def test_a_plane_without_a_header_is_known_by_the_line_above_its_columns(tmp_path: Path) -> None:
    qx, qy = np.meshgrid(QX, QY)
    rows = zip(qx.ravel(), qy.ravel(), INTENSITY.ravel(), strict=True)
    lines = [
        "Data columns Qx - Qy - I(Qx,Qy) - err(I)",
        "ASCII data",
        *(f"{x} {y} {i} 0.5" for x, y, i in rows),
    ]
    path = tmp_path / "plane.dat"
    path.write_text("\n".join(lines) + "\n")
    assert nist_abs.recognises(path.read_bytes(), path.name) > 0.8
    (plane,) = nist_abs.read(path)
    np.testing.assert_array_equal(plane.signal.values, INTENSITY)
    assert plane.signal.errors is not None
    assert np.all(plane.signal.errors == 0.5)


def isis(edges: bool) -> str:
    """As SaveISIS2D writes: the q, how many there are before them, and eight numbers in a line."""

    def lines(values: np.ndarray) -> list[str]:
        return [" ".join(f"{value:.6e}" for value in values[n : n + 8]) for n in range(0, len(values), 8)]

    x = np.array([-0.025, -0.015, -0.005, 0.005, 0.015]) if edges else QX
    y = np.array([-0.2, 0.0, 0.2, 0.4]) if edges else QY
    head = [
        " SANS2D Sun 20-MAY-2012",
        "  6 q (Angstrom^-1)",
        "  6 q (1/Angstrom)",
        "  0 I(q) (cm-1)",
        "  1",
        " a",
    ]
    body = [f"  {x.size}", *lines(x), f"  {y.size}", *lines(y), "   4   3  1.0E+00", "  3(8E12.4)"]
    return "\n".join([*head, *body, *lines(INTENSITY.ravel()), *lines(np.sqrt(INTENSITY).ravel()), ""])


@pytest.mark.parametrize("edges", [True, False])
def test_a_plane_of_isis_has_its_q_in_the_middle_between_edges(tmp_path: Path, edges: bool) -> None:
    path = tmp_path / "plane.txt"
    path.write_text(isis(edges))
    assert isis_2d.recognises(path.read_bytes(), path.name) > 0.8
    (plane,) = isis_2d.read(path)
    np.testing.assert_allclose(plane.axes[0].values, QY, atol=1e-12)
    np.testing.assert_allclose(plane.axes[1].values, QX, atol=1e-12)
    np.testing.assert_allclose(plane.signal.values, INTENSITY)
    assert plane.signal.errors is not None
    np.testing.assert_allclose(plane.signal.errors, np.sqrt(INTENSITY), rtol=1e-6)
    assert (plane.axes[1].unit, plane.signal.unit) == ("Å⁻¹", "cm⁻¹")


DANSE = "FORMATVERSION:2\nWAVELENGTH:7.5\nSIZE_X:4\nSIZE_Y:3\nDATA:\n" + "".join(
    f"{value} 0.5\n" for value in INTENSITY.ravel()
)


def test_a_plane_of_danse_lies_row_by_row(tmp_path: Path) -> None:
    path = tmp_path / "plane.sans"
    path.write_text(DANSE)
    assert danse_sans.recognises(path.read_bytes(), path.name) > 0.9
    (plane,) = danse_sans.read(path)
    np.testing.assert_array_equal(plane.signal.values, INTENSITY)
    path.write_text(DANSE.rsplit("11.0", 1)[0])
    with pytest.raises(ReadError, match="3 rows of 4 pixels are announced, there are 11"):
        danse_sans.read(path)


@pytest.mark.parametrize(("key", "text"), [("isis_2d", isis(True)), ("danse_sans", DANSE)])
def test_mutilated_planes_of_others_are_read_or_refused(tmp_path: Path, key: str, text: str) -> None:
    path = tmp_path / "plane.txt"
    path.write_text(text)
    assert list(offences(readers.get(key), path)) == []

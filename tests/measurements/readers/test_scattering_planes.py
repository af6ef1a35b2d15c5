"""Planes of a detector in small-angle scattering, as NIST's macros and NXcanSAS keep them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from measurements import readers
from measurements.data import ReadError
from measurements.readers import nist_abs, nxcansas
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


def test_pixels_that_make_no_rows_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "plane.dat"
    path.write_text("\n".join(nist_plane(*np.meshgrid(QX, QY)).split("\n")[:-2]))
    with pytest.raises(ReadError, match="do not make rows of equal length"):
        nist_abs.read(path)


@pytest.mark.parametrize("by_row", [True, False])
def test_a_plane_in_nxcansas_lies_with_q_y_down_and_q_x_across(tmp_path: Path, by_row: bool) -> None:
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "plane.h5"
    qx, qy = np.meshgrid(QX, QY)
    turned = {name: part if by_row else part.T for name, part in (("Qx", qx), ("Qy", qy), ("I", INTENSITY))}
    with h5py.File(path, "w") as file:
        entry = file.create_group("sasentry01")
        entry.attrs["canSAS_class"] = "SASentry"
        table = entry.create_group("sasdata01")
        table.attrs.update(canSAS_class="SASdata", signal="I", I_axes="Qx,Qy", Q_indices=[0, 1])
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

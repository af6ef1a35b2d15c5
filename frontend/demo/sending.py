"""Sending the simulated files as instruments would: the same bytes again are the same measurement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

from analysis.models import Calibration, Run
from analysis.services import add_calibration, request_run
from frontend.demo import files, light
from frontend.demo.campaign import Campaign
from frontend.demo.files import File
from measurements.models import Instrument, Measurement
from measurements.services import Incoming, read_measurement, receive
from samples.models import Project, Role, User

USERNAME = "demo"
PL, PLQY, TRPL, UVVIS = "pl", "plqy", "trpl", "uvvis"
SPECTROMETER = "FLS-1 (demo)"
SPHERE = "FS5-1 (demo)"
CALIBRATED_FROM = datetime(2023, 1, 1, tzinfo=UTC)
IN_THE_SPHERE = (0.05, 0.25)  # loadings whose whole row was in the sphere
AT_C = 275.0  # and the temperature whose whole column was
SERIES = "SC-250-"  # the temperature series whose decays and absorption were measured too
SLOW = "SC-250-275-SLOWQ"
LIT = {"laser_power": {"value": 1.0, "unit": "mW"}}  # over the whole array: brightness compares
TAILS = (0.10, 0.25, 0.40)  # loadings whose rows are asked for their Urbach tails; no upload is by itself


@dataclass(frozen=True)
class Sender:
    """Who sends, for which project."""

    user: User
    project: Project
    instruments: Mapping[str, Instrument]

    def send(
        self,
        technique: str,
        instrument: str,
        sent: Mapping[str, File],
        sample: str = "",
        conditions: dict[str, Any] | None = None,
    ) -> Measurement:
        """sent : by role; conditions : what the files do not say"""
        return receive(
            user=self.user,
            files=[Incoming(name, BytesIO(content), role) for role, (name, content) in sent.items()],
            sample_code=sample or None,
            project=None if sample else self.project,
            technique=technique,
            conditions=conditions,
            origin=str(Measurement.Origin.SIMULATED),
            instrument=self.instruments[instrument],
        ).measurement


def send(project: Project, campaign: Campaign) -> None:
    user = User.objects.get(username=USERNAME, memberships__project=project, memberships__role=Role.MANAGER)
    instruments = {row.name: row for row in Instrument.objects.filter(project=project)}
    sender = Sender(user, project, instruments)
    for sample, loading, temperature_c in campaign.array():
        file = files.spectrum_file(sample.code, loading, temperature_c)
        measurement = sender.send(PL, SPECTROMETER, {"": file}, sample.code, LIT)
        if loading in TAILS:
            _ask(measurement, "pl_tail")
    _calibrate(sender, SPHERE, "sphere", PLQY, files.sphere_calibration_file())
    _calibrate(sender, SPECTROMETER, "irf", TRPL, files.response_file())
    _send_spheres(sender, campaign)
    _send_series(sender, campaign)
    _send_endurance(sender, campaign)
    for code in light.HALIDES:
        sender.send(PL, SPECTROMETER, {"": files.halide_file(code)}, code)


def _calibrate(sender: Sender, instrument: str, kind: str, technique: str, file: File) -> None:
    """Read at once, for what comes after it is computed with it."""
    measurement = sender.send(technique, instrument, {"": file})
    if Calibration.objects.filter(measurement=measurement).exists():
        return
    read_measurement(measurement)
    measurement.refresh_from_db()
    add_calibration(
        user=sender.user,
        instrument=sender.instruments[instrument],
        kind=kind,
        measurement=measurement,
        valid_from=CALIBRATED_FROM,
        note="Simulated, like everything of the demo that is not published.",
    )


def _ask(measurement: Measurement, method: str) -> None:
    """As a person would, once; for that it must be read."""
    if Run.objects.filter(measurement=measurement, method=method).exists():
        return
    if measurement.status != Measurement.Status.READ:
        read_measurement(measurement)
        measurement.refresh_from_db()
    if measurement.status == Measurement.Status.READ:
        request_run(measurement, method, trigger=Run.Trigger.UPLOAD)


def _send_spheres(sender: Sender, campaign: Campaign) -> None:
    for sample, loading, temperature_c in campaign.array():
        if loading in IN_THE_SPHERE or temperature_c == AT_C:
            found = files.sphere_files(sample.code, loading, temperature_c)
            sender.send(PLQY, SPHERE, found, sample.code)


def _send_series(sender: Sender, campaign: Campaign) -> None:
    """Decays and absorption over the sintering temperature, and the decay of what cooled slowly."""
    for sample, loading, temperature_c in campaign.sintered(SERIES):
        quench = "slow" if sample.code == SLOW else "liquid_nitrogen"
        if sample.code not in (SLOW, f"{SERIES}{temperature_c:.0f}"):
            continue
        decay = files.decay_file(sample.code, loading, temperature_c, quench)
        sender.send(TRPL, SPECTROMETER, {"": decay}, sample.code)
        if sample.code != SLOW:
            absorption = files.absorption_file(sample.code, loading, temperature_c)
            measurement = sender.send(UVVIS, SPECTROMETER, {"": absorption}, sample.code)
            if temperature_c > light.ONE_EDGE_ABOVE_C:
                _ask(measurement, "urbach_absorbance")


def _send_endurance(sender: Sender, campaign: Campaign) -> None:
    made = {sample.code: place for sample, *place in (*campaign.array(), *campaign.sintered(SERIES))}
    for series in (light.UNDER_LASER, *light.IN_LIQUIDS):
        loading, temperature_c = made[series.sample]
        file = files.endurance_file(series, loading, temperature_c)
        sender.send(PL, SPECTROMETER, {"": file}, series.sample)

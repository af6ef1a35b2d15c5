"""What goes in and comes out over REST; the OpenAPI schema is made from these."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from measurements.models import Dataset, Instrument, Measurement, RawFile, Upload
from measurements.techniques import Technique

ROLE_CHARACTERS = 40


class TimeWithZoneField(serializers.DateTimeField):
    """A naive time would have to be guessed, so it is refused."""

    def enforce_timezone(self, value: Any) -> Any:
        if value.tzinfo is None:
            raise serializers.ValidationError(
                "Give the time with its zone, such as 2026-05-04T10:00:00+02:00."
            )
        return super().enforce_timezone(value)


@extend_schema_field({"type": "object", "additionalProperties": True})
class ConditionsField(serializers.Field):
    """A JSON object, as text in a form."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        try:
            value = json.loads(data, parse_constant=_refuse_constant) if isinstance(data, str) else data
            text = json.dumps(value, allow_nan=False)
        except (ValueError, RecursionError) as error:
            raise serializers.ValidationError(f"This is not JSON: {error}.") from None
        if not isinstance(value, dict):
            raise serializers.ValidationError('Conditions are a JSON object, such as {"temperature_c": 25}.')
        if "\\u0000" in text or not _is_text(value):
            raise serializers.ValidationError("Conditions hold characters that are not text.")
        return value

    def to_representation(self, value: Any) -> Any:
        return value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number in JSON")


def _is_text(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


class UploadSerializer(serializers.Serializer):
    """One measurement: its files and what is known about it."""

    sample = serializers.CharField(
        required=False, allow_blank=True, max_length=10_000,
        help_text="Code on the label. Unknown, missing or not visible to you: the files wait in the inbox.",
    )  # fmt: skip
    technique = serializers.ChoiceField(
        choices=Technique.choices, required=False, allow_blank=True,
        help_text="Left out: found out when the file is read.",
    )  # fmt: skip
    file = serializers.ListField(
        child=serializers.FileField(allow_empty_file=True),
        allow_empty=False,
        error_messages={"empty": "No file came with the request. Attach one or more under the name “file”."},
        help_text="One or more; repeat the part.",
    )
    role = serializers.ListField(
        child=serializers.CharField(max_length=ROLE_CHARACTERS, allow_blank=True),
        required=False,
        help_text="One for each file, in the same order: sample, blank, irf, …",
    )
    acquired_at = TimeWithZoneField(required=False, help_text="With its zone.")
    conditions = ConditionsField(required=False, help_text="A JSON object.")
    origin = serializers.ChoiceField(choices=Measurement.Origin.choices, required=False)
    project = serializers.SlugField(
        required=False, allow_blank=True, help_text="Whose inbox takes it when the sample is not known."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        roles = attrs.get("role", [])
        if roles and len(roles) != len(attrs["file"]):
            files = "1 file" if len(attrs["file"]) == 1 else f"{len(attrs['file'])} files"
            many = "1 role" if len(roles) == 1 else f"{len(roles)} roles"
            raise serializers.ValidationError({"role": f"{files} came with {many}. Send one for each file."})
        return attrs


class RawFileSerializer(serializers.ModelSerializer):
    size = serializers.IntegerField(source="blob.size")
    sha256 = serializers.CharField(source="blob.sha256", help_text="Of what is durably on disk here.")

    class Meta:
        model = RawFile
        fields = ["id", "filename", "role", "size", "sha256"]


class MeasurementSerializer(serializers.ModelSerializer):
    sample = serializers.SlugRelatedField(slug_field="code", read_only=True, help_text="null: in the inbox")
    project = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    instrument = serializers.SlugRelatedField(slug_field="name", read_only=True)
    files = RawFileSerializer(many=True, read_only=True)

    class Meta:
        model = Measurement
        fields = [
            "id", "sample", "claimed_code", "project", "technique", "origin", "instrument", "acquired_at",
            "received_at", "conditions", "status", "error", "refused_by", "qc_level",
            "technique_confidence", "technique_reason", "files",
        ]  # fmt: skip
        read_only_fields = fields


class ReceiptSerializer(MeasurementSerializer):
    """An instrument may delete its copy when the sha256 here is that of its file."""

    warnings = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta(MeasurementSerializer.Meta):
        fields = [*MeasurementSerializer.Meta.fields, "warnings"]
        read_only_fields = fields


class ResumableUploadSerializer(serializers.ModelSerializer):
    """A file that comes in pieces."""

    size = serializers.IntegerField(source="size_bytes", read_only=True)
    offset = serializers.IntegerField(
        source="received_bytes",
        read_only=True,
        help_text="So many bytes are durably here; go on with the next.",
    )
    filename = serializers.CharField(read_only=True)
    receipt = serializers.SerializerMethodField(help_text="null until every byte is here.")

    class Meta:
        model = Upload
        fields = ["id", "filename", "size", "offset", "created_at", "expires_at", "receipt"]
        read_only_fields = fields

    @extend_schema_field(ReceiptSerializer(allow_null=True))
    def get_receipt(self, upload: Upload) -> Any:
        return upload.receipt


class AxisSerializer(serializers.Serializer):
    name = serializers.CharField()
    unit = serializers.CharField()
    size = serializers.IntegerField()


class SignalSerializer(serializers.Serializer):
    name = serializers.CharField()
    unit = serializers.CharField()


class FlagSerializer(serializers.Serializer):
    check = serializers.CharField(help_text="The rule that raised it.")
    level = serializers.ChoiceField(choices=["amber", "red"])
    sentence = serializers.CharField()


class DatasetSerializer(serializers.ModelSerializer):
    axes = AxisSerializer(many=True)
    signal = SignalSerializer(source="described")
    qc = serializers.ListField(child=serializers.CharField(), help_text="What is odd, in sentences.")
    flags = FlagSerializer(many=True)

    class Meta:
        model = Dataset
        fields = [
            "id",
            "number",
            "file",
            "shape",
            "axes",
            "signal",
            "reader",
            "reader_version",
            "title",
            "header",
            "conditions",
            "qc",
            "qc_level",
            "flags",
        ]


class MeasurementDetailSerializer(MeasurementSerializer):
    qc = serializers.SerializerMethodField(help_text="What is odd about the numbers, in sentences.")
    datasets = serializers.SerializerMethodField()
    runs = serializers.SerializerMethodField(help_text="What was computed from it: ids of runs.")

    class Meta(MeasurementSerializer.Meta):
        fields = [*MeasurementSerializer.Meta.fields, "qc", "datasets", "runs"]
        read_only_fields = fields

    def get_qc(self, measurement: Measurement) -> list[str]:
        return [sentence for row in self._current(measurement) for sentence in row.qc]

    @extend_schema_field(DatasetSerializer(many=True))
    def get_datasets(self, measurement: Measurement) -> Any:
        return DatasetSerializer(self._current(measurement), many=True).data

    def get_runs(self, measurement: Measurement) -> list[int]:
        # The reverse side of analysis' key: this room does not import it.
        runs: Any = getattr(measurement, "runs", None)
        return [] if runs is None else list(runs.order_by("pk").values_list("pk", flat=True))

    @staticmethod
    def _current(measurement: Measurement) -> list[Dataset]:
        return [row for row in measurement.datasets.all() if row.current]


class ChangeSerializer(serializers.Serializer):
    sample = serializers.CharField(required=False, help_text="Takes the measurement out of the inbox.")
    technique = serializers.ChoiceField(choices=Technique.choices, required=False)


class NumbersSerializer(serializers.Serializer):
    name = serializers.CharField()
    unit = serializers.CharField()
    values = serializers.ListField(child=serializers.FloatField(allow_null=True))


class ArraysSerializer(serializers.Serializer):
    """A value that is not a finite number is null. A signal of N dimensions is nested N deep."""

    axes = NumbersSerializer(many=True)
    signal = NumbersSerializer()
    errors = NumbersSerializer(required=False)
    acquired_at = serializers.DateTimeField(allow_null=True)


class ChoiceSerializer(serializers.Serializer):
    key = serializers.CharField()
    label = serializers.CharField()


class FormatSerializer(serializers.Serializer):
    key = serializers.CharField()
    name = serializers.CharField()
    extensions = serializers.ListField(child=serializers.CharField())
    vendor = serializers.CharField()
    techniques = serializers.ListField(child=serializers.CharField())
    description = serializers.CharField()
    version = serializers.IntegerField()
    max_bytes = serializers.IntegerField()


class InstrumentSerializer(serializers.ModelSerializer):
    project = serializers.CharField(source="project.slug")

    class Meta:
        model = Instrument
        fields = ["id", "name", "model", "location", "project", "created_at"]
        read_only_fields = ["id", "created_at"]
        extra_kwargs: ClassVar[dict[str, Any]] = {
            "name": {"validators": []}
        }  # the service says it in a sentence


class InstrumentTokenSerializer(serializers.Serializer):
    key = serializers.CharField(
        help_text="First letters of the token; names it for revoking.", read_only=True
    )
    created = serializers.DateTimeField(read_only=True)
    expiry = serializers.DateTimeField(read_only=True)
    days = serializers.IntegerField(write_only=True, required=False)


class NewInstrumentTokenSerializer(InstrumentTokenSerializer):
    token = serializers.CharField(help_text="Shown once: only its hash is stored.")

"""The techniques that a measurement can have. A method names them as it accepts them."""

from __future__ import annotations

from django.db import models


class Technique(models.TextChoices):
    UNKNOWN = "unknown", "Not known yet"
    PL = "pl", "Photoluminescence"
    PLQY = "plqy", "Photoluminescence quantum yield"
    TRPL = "trpl", "Time-resolved photoluminescence"
    UVVIS = "uvvis", "UV-Vis absorption"
    XRD = "xrd", "X-ray diffraction"
    SAXS = "saxs", "Small-angle X-ray scattering"
    PDF = "pdf", "Pair distribution function"
    XPS = "xps", "X-ray photoelectron spectroscopy"
    XAS = "xas", "X-ray absorption spectroscopy"
    FTIR = "ftir", "Infrared and far-infrared"
    RAMAN = "raman", "Raman"
    NMR = "nmr", "Nuclear magnetic resonance"
    DSC = "dsc", "Differential scanning calorimetry"
    TGA = "tga", "Thermogravimetry"
    EM = "em", "Electron microscopy"
    CL = "cl", "Cathodoluminescence"
    EELS = "eels", "Electron energy loss"
    EDS = "eds", "Energy-dispersive X-rays"
    SED = "sed", "Scanning electron diffraction"
    TOMOGRAPHY = "tomography", "Tomography"
    STRUCTURE = "structure", "Crystal structure"
    DILATOMETRY = "dilatometry", "Dilatometry"
    MS = "ms", "Mass spectrometry of evolved gas"
    LEACHING = "leaching", "Leaching"
    ENVIRONMENT = "environment", "Environmental log"
    COMPUTATION = "computation", "Computation"
    TRANSIENT_ABSORPTION = "ta", "Transient absorption"
    IMAGE = "image", "Photograph"
    OTHER = "other", "Other"

"""Properties that people publish or enter by hand and that no method yields yet.

When a method arrives that yields one, its own declaration takes over, in the same unit; nothing changes here.
"""

from __future__ import annotations

from analysis.methods.base import Property

PHASES = ("alpha", "beta", "gamma", "delta")
PATHS = ("Zn-N", "Zn-C", "Pb-O", "Pb-I", "Pb-Zn")
BONDS_HELP = "From the EXAFS shell fit; the component names the scattering path."
CELL_HELP = "γ in the setting Pbnm (c ≈ 12.5 Å), δ in Pnma (a ≈ 10.4 Å), whatever setting the source uses."

AWAITED: tuple[Property, ...] = (
    # light out
    Property("plqy", "PL quantum yield", "1", True, html="Φ", as_percent=True),
    Property(
        "pl_intensity_rel", "PL intensity, relative", "1", True, help="Fraction of the array's maximum."
    ),
    Property("pl_row_maximum", "Brightest sintering temperature of its loading", "1", help="In words."),
    Property("pl_fit_reduced_chi_square", "PL fit, reduced χ²", "counts²", False),
    Property("pl_fit_r_square", "PL fit, R²", "1", True),
    Property("pl_gain_vs_pure", "PL gain over the pure perovskite", "1", True),
    Property("pl_urbach_tail", "PL tail energy", "meV", False),
    Property("trpl_tau_amp", "PL lifetime, amplitude-weighted", "ns", True, html="τ<sub>amp</sub>"),
    Property("trpl_tau_int", "PL lifetime, intensity-weighted", "ns", True, html="τ<sub>int</sub>"),
    Property("band_gap", "Band gap", "eV", components=("", *PHASES), html="E<sub>g</sub>"),
    Property("band_edge", "Absorption edge", "nm", components=("", *PHASES), html="λ<sub>g</sub>"),
    Property("absorption_edge_number", "Number of absorption edges", "1"),
    Property("cie_x", "CIE 1931 x", "1", html="x"),
    Property("cie_y", "CIE 1931 y", "1", html="y"),
    Property("cl_peak_center", "CL peak centre", "nm"),
    Property("cl_peak_spread", "CL peak centre, spread over the map", "nm", False),
    # crystals
    Property("dominant_phase", "Dominant phase", "1", help="In words."),
    Property(
        "phase_fraction",
        "Phase fraction of the crystalline part, by mass",
        "1",
        None,
        PHASES,
        as_percent=True,
    ),
    Property(
        "phase_fraction_of_sample",
        "Phase fraction of the whole sample, by mass",
        "1",
        None,
        PHASES,
        as_percent=True,
    ),
    Property("lattice_a", "Cell edge a", "Å", None, PHASES, html="a", help=CELL_HELP),
    Property("lattice_b", "Cell edge b", "Å", None, PHASES, html="b", help=CELL_HELP),
    Property("lattice_c", "Cell edge c", "Å", None, PHASES, html="c", help=CELL_HELP),
    Property("rwp", "Weighted profile residual", "1", False, html="R<sub>wp</sub>", as_percent=True),
    Property("crystallite_size", "Crystallite size", "nm", None, ("", *PHASES)),
    Property("particle_size", "Particle size", "nm"),
    Property("active_phase_onset_heating", "Onset of the emissive phase on heating", "°C", False),
    Property("beta_onset_cooling", "Onset of β on cooling", "°C"),
    Property("gamma_onset_cooling", "Onset of γ on cooling", "°C"),
    # glass and heat
    Property("tg", "Glass transition", "°C", html="T<sub>g</sub>"),
    Property("endotherm_onset", "Endotherm onset", "°C"),
    Property("endotherm_end", "Endotherm end", "°C"),
    Property("tga_mass_loss", "Mass loss on heating", "1", False, as_percent=True),
    # interface
    Property("saxs_coarsening_onset", "Onset of coarsening (SAXS)", "°C"),
    Property("saxs_porod_deviation", "Porod deviation, slope", "1", help="Above zero: positive deviation."),
    Property(
        "zn_i_band", "Zn–I band", "cm⁻¹", None, ("low", "high"), help="Low near 135, high near 275 cm⁻¹."
    ),
    Property("zn_n_band", "Zn–N band", "cm⁻¹"),
    Property("zn_i_onset", "Onset of the Zn–I band on heating", "°C"),
    Property("nmr_interfacial_fraction", "Interfacial Cs fraction (NMR)", "1", as_percent=True),
    Property("nmr_cs_shift", "¹³³Cs chemical shift", "ppm", None, ("gamma", "delta", "CsI", "interface")),
    Property("exafs_distance", "Bond distance (EXAFS)", "Å", None, PATHS, html="R", help=BONDS_HELP),
    Property(
        "exafs_coordination", "Coordination number (EXAFS)", "1", None, PATHS, html="N", help=BONDS_HELP
    ),
    Property("iodine_extension", "Iodine beyond the grain's edge", "nm"),
    # endurance: the longest time for which the emission was still there
    Property("stability_water", "Stable in water for", "h", True),
    Property("stability_ambient", "Stable in air for", "d", True),
    Property("stability_laser", "Stable under laser light for", "s", True),
    Property("stability_sonication", "Stable under sonication for", "h", True),
)

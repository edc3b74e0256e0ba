"""Synth: synthetic patients, whose truth is known."""

from facialpalsy.synth.simulate import BENCHMARK_REGIONS, REGIONS, Family, Simulation, displace, simulate

__all__ = ["BENCHMARK_REGIONS", "REGIONS", "Family", "Simulation", "displace", "simulate"]

"""Protocols: the Protocol type, one TOML file for each named one, and the references they make."""

from srbench.protocols.protocol import ALL, Protocol, load_protocol, protocol_names
from srbench.protocols.reference import Prepared, prepare

__all__ = ["ALL", "Prepared", "Protocol", "load_protocol", "prepare", "protocol_names"]

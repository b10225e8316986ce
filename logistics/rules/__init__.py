"""Rules of the logistics room: plain functions over plain values."""
